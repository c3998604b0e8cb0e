"""Why packets are late, as far as a snapshot tells: a finding for each cause that the figures show, worst first."""

from netlat_tui.model.findings.finding import Figure, Finding, Severity, Unit, View
from netlat_tui.model.findings.rules import findings

__all__ = ["Figure", "Finding", "Severity", "Unit", "View", "findings"]
