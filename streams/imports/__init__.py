"""Files of others become events by the sources of inputs.yaml: for a run that reads them, or to be kept."""
