"""Sends metrics (`bridge`) and log events (`logs`) to CloudWatch."""
