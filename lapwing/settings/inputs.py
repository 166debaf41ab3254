"""Settings of foreign records."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import BaseModel, Field

INPUTS_FILE: Final = "inputs.yaml"
"""What the file is called beside the rules."""


class InputsSettings(BaseModel):
    """What `Settings` has of them."""

    inputs: Path | None = Field(
        None,
        description="The file that says which foreign records there are and how each becomes events. Without "
        "it `inputs.yaml` in the folder of the rules, where there is one.",
    )
