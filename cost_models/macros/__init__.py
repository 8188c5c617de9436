"""Whole compute-in-memory macros, predicted from their configuration alone."""

from cost_models.macros.predict import Prediction, predict

__all__ = ["Prediction", "predict"]
