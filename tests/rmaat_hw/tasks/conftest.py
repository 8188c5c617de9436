"""Generated data of these tests go to a folder of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rmaat_hw.tasks.cache import FOLDER_VARIABLE


@pytest.fixture(scope="package", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield
