"""The tasks by name and preset: architecture, recipe, sizes and where the data come from.

Architectures are the grid that this project RECOMMENDS, anchored to the base models of the Long Range
Arena (arXiv 2011.04006, github.com/google-research/long-range-arena); batch, steps, warm-up and weight
decay are theirs too, the learning rate is for AdamW with a cosine and RECOMMENDED.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from rmaat_hw.model.config import RMAATConfig
from rmaat_hw.tasks import digits, image, listops, pathfinder, pathfinder_data, retrieval, text
from rmaat_hw.tasks.listops_data import Law
from rmaat_hw.tasks.recipe import Recipe
from rmaat_hw.tasks.task import Task


def _named(*tasks: Task) -> dict[str, Task]:
    """Presets of one task by name; each knows the names of all."""
    names = tuple(task.preset for task in tasks)
    return {task.preset: replace(task, presets=names) for task in tasks}


def _listops() -> dict[str, Task]:
    law = Law()
    full = Task(
        name="listops",
        title="Long ListOps",
        config=RMAATConfig(
            vocabulary=len(listops.SYMBOLS),
            classes=10,
            d_model=512,
            heads=8,
            layers=4,
            ffn_width=1024,
            segment_length=512,
            segments=4,
        ),
        source=law.source,
        loader=law.load,
        sizes=law.sizes,
        law=law.to_dict(),
        data="generated, or published: the folder listops-1000 of lra_release.gz",
        description=(
            "Nested MIN, MAX, MED and SM over digits, 500 to 2000 tokens, ten classes (Long Range "
            "Arena, arXiv 2011.04006); generated here from the published rules. For another padded "
            "length than 2048 the bounds scale with it, and longer sequences get deeper trees."
        ),
        recipe=Recipe(batch=32, steps=5000, learning_rate=5e-4, warmup_steps=1000, weight_decay=0.1),
    )
    # At the start φ(Q)H/C is nearly the same for every token (its spread over tokens is some 4 % of
    # its size); the features must grow before it tells tokens apart, hence the large learning rate.
    law = Law(length=(1, 200), depth=10, padded_length=200)
    small = replace(
        full,
        title="ListOps, small",
        config=RMAATConfig(
            vocabulary=len(listops.SYMBOLS),
            classes=10,
            d_model=64,
            heads=4,
            layers=2,
            ffn_width=128,
            segment_length=25,
            segments=8,
            memory_tokens=8,
            dropout=0.0,  # no tree is seen twice
        ),
        source=law.source,
        loader=law.load,
        sizes=law.sizes,
        law=law.to_dict(),
        description=(
            "The rules of Long ListOps on trees of 2 to 199 tokens and depth 10, a size that trains on "
            "two CPU cores."
        ),
        recipe=Recipe(batch=32, steps=1500, learning_rate=5e-3, warmup_steps=100, weight_decay=0.01),
        preset="small",
    )
    law = Law(length=(3, 32), depth=10, padded_length=32)
    short = replace(
        small,
        title="ListOps, short",
        config=replace(small.config, segment_length=8, segments=4, memory_tokens=4),
        source=law.source,
        loader=law.load,
        sizes=law.sizes,
        description=(
            "The rules of Long ListOps on trees of 4 to 31 tokens and depth 10, of which two in three span "
            "several segments; trains in a minute."
        ),
        recipe=Recipe(batch=32, steps=1500, learning_rate=5e-3, warmup_steps=100, weight_decay=0.01),
        preset="short",
    )
    return _named(full, small, short)


def _text() -> dict[str, Task]:
    return _named(
        Task(
            name="text",
            title="Text (IMDB reviews, bytes)",
            config=RMAATConfig(
                vocabulary=text.VOCABULARY,
                classes=2,
                d_model=256,
                heads=4,
                layers=4,
                ffn_width=1024,
                segment_length=512,
                segments=8,
            ),
            source=text.source,
            loader=text.load,
            sizes=text.SIZES,
            data=f"published: {text.ARCHIVE} or its folder {text.FOLDER}; validation is the test part",
            description=(
                "Is a film review positive? Bytes of IMDB reviews, the first 4096 (Maas et al. 2011; Long "
                "Range Arena). Training needs the published files; where none are given, tracing and "
                "activity use synthetic text: frequent English words in no order, as long as reviews."
            ),
            recipe=Recipe(
                batch=32,
                steps=20_000,
                learning_rate=5e-4,
                warmup_steps=8000,
                weight_decay=0.1,
                evaluate_every=1000,
            ),
            batches="synthetic",
        )
    )


def _retrieval() -> dict[str, Task]:
    return _named(
        Task(
            name="retrieval",
            title="Retrieval (ACL Anthology pairs, bytes)",
            config=RMAATConfig(
                vocabulary=retrieval.VOCABULARY,
                classes=2,
                d_model=128,
                heads=4,
                layers=4,
                ffn_width=512,
                segment_length=512,
                segments=16,
                documents="one_stream",
                dropout=0.0,  # 5000 steps of 32 see each of 147,086 pairs once: nothing to learn by heart
            ),
            source=retrieval.source,
            loader=retrieval.load,
            sizes=retrieval.SIZES,
            data="published: the folder tsv_data of lra_release.gz",
            description=(
                "Does one of two papers cite the other? Bytes of both, the first 4000 of each, right-aligned "
                "in its half of 8192 tokens (Long Range Arena). Training needs the published files; where "
                "none are given, tracing and activity use synthetic text: frequent English words in no order."
            ),
            # The Arena warms up over 8,000 steps and stops after 5,000; a cosine needs an end of the warm-up.
            recipe=Recipe(batch=32, steps=5000, learning_rate=5e-4, warmup_steps=1000, weight_decay=0.1),
            batches="synthetic",
            documents=2,
        )
    )


def _image() -> dict[str, Task]:
    return _named(
        Task(
            name="image",
            title="Image (CIFAR-10, grey)",
            config=RMAATConfig(
                vocabulary=image.VOCABULARY,
                classes=image.CLASSES,
                d_model=128,
                heads=8,
                layers=1,
                ffn_width=128,
                segment_length=256,
                segments=4,
            ),
            source=image.source,
            loader=image.load,
            sizes=image.SIZES,
            data=f"published: {image.ARCHIVE} or its folder {image.FOLDER}",
            description=(
                "CIFAR-10 in grey, 32 × 32 pixels in reading order as 1024 tokens of 256 values (Long Range "
                "Arena). Training needs the published files; where none are given, tracing and activity "
                "use synthetic pictures: random squares of every size."
            ),
            recipe=Recipe(  # 200 passes over the training split
                batch=256,
                steps=35_200,
                learning_rate=5e-4,
                warmup_steps=176,
                weight_decay=0.0,
                evaluate_every=880,
            ),
            fixed_length=True,
            batches="synthetic",
        )
    )


def _pathfinder() -> dict[str, Task]:
    def preset(name: str, title: str, difficulty: str, *, d_model: int = 128, ffn_width: int = 256) -> Task:
        dashes = pathfinder.CONTOUR_LENGTHS[difficulty]
        return Task(
            name="pathfinder",
            title=title,
            config=RMAATConfig(
                vocabulary=257,
                classes=2,
                d_model=d_model,
                heads=4,
                layers=4,
                ffn_width=ffn_width,
                segment_length=256,
                segments=4,
            ),
            source=partial(pathfinder_data.source, difficulty=difficulty),
            loader=partial(pathfinder_data.load, difficulty=difficulty),
            sizes=pathfinder_data.SIZES,
            law={"dashes": dashes},
            data="generated, or published: the folder pathfinder32 of lra_release.gz",
            description=(
                f"Do two discs lie on the same path of {dashes} dashes? Generated pictures of the kind of "
                "Linsley et al. (arXiv 1805.08315) in the sizes of the Long Range Arena: 32 × 32 grey pixels "
                "in reading order as 1024 tokens."
            ),
            recipe=Recipe(  # 200 passes over the training split
                batch=512,
                steps=62_500,
                learning_rate=1e-3,
                warmup_steps=313,
                weight_decay=0.0,
                evaluate_every=1250,
            ),
            preset=name,
            fixed_length=True,
        )

    return _named(
        preset("full", "Pathfinder", "hard"),
        preset("lra", "Pathfinder, width of the Arena's model", "hard", d_model=32, ffn_width=32),
        preset("intermediate", "Pathfinder, paths of 9 dashes", "intermediate"),
        preset("easy", "Pathfinder, paths of 6 dashes", "easy"),
    )


def _digits() -> dict[str, Task]:
    return _named(
        Task(
            name="digits",
            title="Digits (8 × 8 pixels)",
            config=RMAATConfig(
                vocabulary=digits.VOCABULARY,
                classes=10,
                d_model=64,
                heads=1,
                layers=2,
                ffn_width=128,
                segment_length=16,
                segments=4,
                memory_tokens=8,
                embedding_start="ordinal",
            ),
            source=digits.source,
            loader=digits.load,
            sizes=digits.SIZES,
            data="embedded in scikit-learn",
            batches="embedded",
            description=(
                "Handwritten digits of 8 × 8 pixels in reading order as 64 tokens of 17 grey values (UCI, "
                "doi 10.24432/C50P49), embedded: pictures that train without a download."
            ),
            recipe=Recipe(
                batch=32,
                steps=1400,
                learning_rate=5e-3,
                warmup_steps=100,
                weight_decay=0.1,
                evaluate_every=1400,  # 150 pictures are too few to choose weights by
            ),
            fixed_length=True,
        )
    )


PRESETS: Mapping[str, Mapping[str, Task]] = MappingProxyType(
    {
        "listops": _listops(),
        "text": _text(),
        "retrieval": _retrieval(),
        "image": _image(),
        "pathfinder": _pathfinder(),
        "digits": _digits(),
    }
)
"""Task name -> preset -> task."""
