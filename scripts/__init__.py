"""Programs that write or check the data files of the project; none runs in production."""
