"""The newswire encoder: names and quotations of wire copy from one small transformer."""
