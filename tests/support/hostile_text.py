"""Characters that could damage a log, a page or a terminal."""

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


CONTROL = "\x01\x07\x08\x1b\x7f\x80\x9b"


HOSTILE = f"Gate{BIDI}{CONTROL} 4\r\nFrom: root"


LINE, LINES = "Gate 4 From: root", "Gate 4\nFrom: root"
