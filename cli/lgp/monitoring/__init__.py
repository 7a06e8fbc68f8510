"""Prometheus, and Grafana where it is installed, beside the server of `lgp up`."""

from lgp.monitoring.beside import Beside, monitored
from lgp.monitoring.prometheus import prometheus_address, require_prometheus

__all__ = ["Beside", "monitored", "prometheus_address", "require_prometheus"]
