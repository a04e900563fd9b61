"""Wall screens, and televisions that wait for their pairing."""

from tms.accounts.models.screens.screen_pairing import ScreenPairing
from tms.accounts.models.screens.wall_screen import WallBoard, WallScreen

__all__ = ["ScreenPairing", "WallBoard", "WallScreen"]
