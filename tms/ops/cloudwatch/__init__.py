"""What CloudWatch gets from a TMS on AWS: numbers (`bridge`) and log events (`logs`)."""
