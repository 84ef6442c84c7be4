"""Static pages with the pictures and numbers of a data set."""

from factory.report.page import ReportExtras, ReportSettings, write_report

__all__ = ["ReportExtras", "ReportSettings", "write_report"]
