"""Rules as pure functions of indicators, one a file, and the records that their verdicts become."""
