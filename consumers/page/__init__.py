"""The frame of the HTML pages that commands write; what is drawn in them is `consumers.charts`."""
