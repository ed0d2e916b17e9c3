"""What the topics stage was made with: labelled stories and a card. Nothing here is read at run time."""
