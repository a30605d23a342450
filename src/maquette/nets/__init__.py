"""Blocks that two systems or more share."""
