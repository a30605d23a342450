"""Files in and out: the only floor that opens, checks and writes them. Nothing here knows a shape or a network.

- `formats`: grid and mesh files by suffix; read this first
- `pictures`: picture files of any origin as RGB arrays
- `dicom`: the pixels of DICOM files, and nothing else of them
- `trees`: YAML and JSON as plain values, within limits
- `lock`: one command at a time on a folder
- `archives`: entries of zip archives in little memory
- `html`: pages that need no other file
- `atomic`: whole files or none
- `replacing`: what may be written over, the one rule for every command
- `paths`, `quiet`: names that no file can have, and what foreign libraries print
"""
