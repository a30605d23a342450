"""Zip archives of strangers: no entry takes more memory than it may."""

import zipfile

_PIECE = 1 << 18


def opened_entry(archive: zipfile.ZipFile, name: str) -> zipfile.ZipExtFile:
    """One entry of an archive as a stream, of which `read(n)` takes memory for n bytes and no more.

    Raises:
        KeyError: If there is no such entry.
        ValueError: If it is packed otherwise than by deflate: Python unpacks bzip2 and LZMA without any limit.
    """
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name[:80]} is packed by another method than deflate")
    stream = archive.open(name)
    assert isinstance(stream, zipfile.ZipExtFile)  # it is, for reading; only its annotation says less
    return stream


def entry_bytes(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """The content of one entry, unpacked piece by piece.

    Python unpacks as much of an entry as is asked for at once, before it looks at the size that the archive claims.

    Args:
        archive: The open archive.
        name: Of the entry.
        most: The most bytes that are read.

    Returns:
        The content; one byte more than `most` where the entry is larger than that.

    Raises:
        KeyError: If there is no such entry.
        ValueError: As `opened_entry`; zipfile and its decoders raise anything for a damaged archive.
    """
    pieces, left = [], most + 1
    with opened_entry(archive, name) as stream:
        while left > 0 and (piece := stream.read(min(_PIECE, left))):
            pieces.append(piece)
            left -= len(piece)
    return b"".join(pieces)
