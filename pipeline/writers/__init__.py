"""Writers: documents to files, one file a format."""
