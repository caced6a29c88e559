"""Bring in history: files of events become raw objects, as if each event had been received when it happened."""
