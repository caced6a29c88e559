"""The list of bad inputs and faults, and what holds each."""
