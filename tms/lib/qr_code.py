"""QR codes as the path of an SVG."""


def qr_path(text: str) -> tuple[int, str]:
    """The side of a QR code in modules, and its dark modules as the path of an SVG."""
    from qrcode.main import QRCode  # on demand: few processes draw any

    code = QRCode(border=2)
    code.add_data(text)
    modules = code.get_matrix()
    dark = ((x, y) for y, line in enumerate(modules) for x, is_dark in enumerate(line) if is_dark)
    return len(modules), "".join(f"M{x} {y}h1v1h-1z" for x, y in dark)
