"""Models of the Hugging Face Hub: downloaded, or taken from its cache, which is told."""

import warnings
from collections.abc import Sequence
from pathlib import Path

from maquette.errors import PlainWarning, UserError, one_line
from maquette.extras import require


def downloaded(name: str, files: Sequence[str], needed: str) -> Path:
    """The folder of a model of the Hub, downloaded, or as it is in the cache where the Hub cannot be reached.

    The Hub is asked before the download, since its client serves an older copy without a word. Where one is used,
    a PlainWarning says so, unless the user asked for it (HF_HUB_OFFLINE).

    Args:
        name: `owner/name`.
        files: All that a model's folder holds.
        needed: The file without which it is none.

    Raises:
        UserError: If it is not to be had, or is no model.
    """
    require("huggingface_hub", "hub")
    from huggingface_hub import model_info, snapshot_download
    from huggingface_hub.errors import GatedRepoError, OfflineModeIsEnabled, RepositoryNotFoundError

    failed: Exception | None = None
    try:
        model_info(name)
    except Exception as error:  # the hub client raises dozens of kinds: no network, no such repository, no access
        failed = error
    try:
        folder = Path(snapshot_download(name, allow_patterns=list(files), local_files_only=failed is not None))
    except Exception as error:  # as above
        reason = failed or error
        unknown = isinstance(reason, RepositoryNotFoundError) and not isinstance(reason, GatedRepoError)
        why = "has no model of this name that you may read" if unknown else "cannot be reached"
        if isinstance(reason, OfflineModeIsEnabled):
            why = "may not be asked (HF_HUB_OFFLINE)"
        hint = "check the name" if unknown else "check the name of the folder, or the network"
        raise UserError(f"there is no folder '{name}', and the Hugging Face Hub {why}", hint=hint) from None
    if not (folder / needed).is_file():
        raise UserError(f"'{name}' on the Hugging Face Hub is not a model of maquette: it has no {needed}")
    if failed is not None and not isinstance(failed, OfflineModeIsEnabled):
        line = f"the Hugging Face Hub gives no answer for {name} ({one_line(failed, 80)}); the copy that was downloaded"
        warnings.warn(PlainWarning(f"{line} earlier is used"), stacklevel=3)
    return folder
