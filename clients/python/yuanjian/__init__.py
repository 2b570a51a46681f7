"""源鉴 Yuanjian: client of the traceability platform."""

from .client import Client, Problem

__all__ = ["Client", "Problem"]
