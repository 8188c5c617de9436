"""``rmaat-hw devices simulate`` and ``fit``: what a pulse does, and how a device's numbers were found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from device_params.errors import InputError
from device_params.units import split_quantity, to_si
from rmaat_hw.cli.catalogues import devices
from rmaat_hw.cli.options import Extrapolate, Json, Name
from rmaat_hw.cli.shell import STANDARD_OUTPUT, Command, console, examples, progress, spare, write_json

_POINTS = "CSV with voltage_V, pulse_s and memory_window_V (a transistor) or polarization_C_per_m2 (a film)."


def _quantity(option: str, text: str | None, unit: str) -> float | None:
    """A number in SI from text with or without a unit. Raises InputError by the option's name."""
    if text is None:
        return None
    try:
        number, written = split_quantity(text)
        return to_si(number, written, unit) if written else number
    except InputError as error:
        raise InputError(str(error), where=option) from error


@devices.command(
    "simulate",
    cls=Command,
    epilog=examples(
        "rmaat-hw devices simulate fefet_8nm_deng --voltage 3.5 --pulse '500 ns'",
        "rmaat-hw devices simulate hzo_film_10nm --voltage '2 V' --pulse 3e-6 --area '0.01 um^2' --json",
        "rmaat-hw devices simulate fecap_heracles --voltage 1 --pulse '1 us' --temperature 350",
        "rmaat-hw devices simulate hzo_film_8nm3 --waveform triangle.csv --json course.json",
    ),
)
def simulate(
    name: Name,
    voltage: Annotated[
        str | None, typer.Option(metavar="V", help="Amplitude of the pulse, bare in volts or with a unit.")
    ] = None,
    pulse: Annotated[
        str | None, typer.Option(metavar="S", help="Length of the pulse, bare in seconds or with a unit.")
    ] = None,
    waveform: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV with the columns time_s and voltage_V, in place of a pulse."),
    ] = None,
    temperature: Annotated[
        str | None, typer.Option(metavar="K", help="By default that of the measurements.")
    ] = None,
    cycles: Annotated[
        float, typer.Option(metavar="COUNT", help="Write cycles that the device has seen before.")
    ] = 0.0,
    area: Annotated[
        str | None,
        typer.Option(metavar="M2", help="Of the capacitor or gate, bare in m^2 or as in '0.01 um^2'."),
    ] = None,
    window_model: Annotated[
        str | None,
        typer.Option(
            metavar="fitted|physical",
            help="Which window counts; by default the fitted one inside its measurements.",
        ),
    ] = None,
    extrapolate: Extrapolate = False,
    json: Json = None,
) -> None:
    """Apply one pulse, or a waveform, to a device in the state -Pr.

    Gives the remanent polarization, the memory window of pulses of both signs (a transistor has one, a film
    has none), and the energy of the write, each with its 90 % interval.
    """
    spare(json, waveform)
    kelvin, square_metres = _quantity("--temperature", temperature, "K"), _quantity("--area", area, "m^2")
    if waveform is not None and (voltage is not None or pulse is not None):
        raise InputError("a pulse and a waveform at once", where="--waveform", remedy="give one of them")
    if waveform is None and (voltage is None or pulse is None):
        missing = "--voltage" if voltage is None else "--pulse"
        raise InputError(
            "missing option", where=missing, remedy="give --voltage and --pulse, or --waveform FILE"
        )
    from rmaat_hw import devices as physics

    if waveform is not None:
        from rmaat_hw.devices.calibration import read_columns

        if cycles or window_model:
            raise InputError(
                "only for a pulse", where="--cycles" if cycles else "--window-model", remedy="leave it out"
            )
        columns = read_columns(waveform, ("time_s", "voltage_V"))
        with progress() as tell:
            tell("following the waveform")
            found = physics.simulate_waveform(
                name,
                physics.Waveform(columns["time_s"], columns["voltage_V"]),
                temperature=kelvin,
                area=square_metres,
                allow_extrapolation=extrapolate,
            )
    else:
        found = physics.simulate(
            name,
            voltage=_quantity("--voltage", voltage, "V") or 0.0,
            pulse=_quantity("--pulse", pulse, "s") or 0.0,
            cycles=cycles,
            temperature=kelvin,
            area=square_metres,
            window_model=window_model,
            allow_extrapolation=extrapolate,
        )
    if json is not None:
        write_json(found.document(), json)
    if json != STANDARD_OUTPUT:
        from rmaat_hw.report.simulation import show

        show(console(), found)


@devices.command(
    "fit",
    cls=Command,
    epilog=examples(
        "rmaat-hw devices fit fefet_8nm_deng",
        "rmaat-hw devices fit cells/mine.yaml --points windows.csv --json fit.json",
    ),
)
def fit(
    name: Name,
    points: Annotated[
        Path | None, typer.Option(metavar="FILE", help=_POINTS + " By default those of the library.")
    ] = None,
    json: Json = None,
) -> None:
    """Hold the models of a device against measured points, and fit those of its window anew.

    Every fit comes with its number of free parameters, its error on the points and its error on a voltage
    that it has not seen.
    """
    spare(json, points)
    from rmaat_hw.devices import calibration
    from rmaat_hw.devices.subject import Subject

    subject = Subject.load(name)
    quantity, measured = (
        calibration.read_points(points, subject.gated) if points else calibration.points_of(name)
    )
    agreements = calibration.compared(name, quantity, measured)
    fitted = calibration.fits(name, measured) if subject.gated else {}
    document = {
        "schema_version": 1,
        "command": "devices fit",
        "device": subject.file.name,
        "quantity": quantity,
        "points": len(measured.value),
        "agreement": {model: vars(found) for model, found in agreements.items()},
        "fits": {
            model: {
                "values": found.values,
                "free_parameters": len(found.values),
                "agreement": vars(found.agreement),
                "left_out": vars(found.left_out),
            }
            for model, found in fitted.items()
        },
    }
    if json is not None:
        write_json(document, json)
    if json != STANDARD_OUTPUT:
        from rmaat_hw.report.simulation import show_fits

        show_fits(console(), document)
