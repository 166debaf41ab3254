"""Parts of the HTML pages that commands write: the frame and the plots."""
