"""The roads back: one file for each way to differentiate a solve."""
