"""Metrics for CloudWatch. The alarm tms-backup-missing fires after too long without a success."""

from deploy.aws import client
from tms.config import environment as env


def publish_success(*, age_s: float) -> None:
    _put(("BackupSuccess", 1, "Count"), ("BackupAge", age_s, "Seconds"))


def publish_failure() -> None:
    _put(("BackupSuccess", 0, "Count"))


def publish_age(age_s: float) -> None:
    _put(("BackupAge", age_s, "Seconds"))


def _put(*metrics: tuple[str, float, str]) -> None:
    data = [{"MetricName": name, "Value": value, "Unit": unit} for name, value, unit in metrics]
    client("cloudwatch").put_metric_data(Namespace=env.text("TMS_CLOUDWATCH_NAMESPACE") or "TMS", MetricData=data)
