"""The desks: one package a stage, its lexicons beside it as data."""
