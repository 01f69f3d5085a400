"""What became of a file that was compressed or decompressed, in one line."""

from typing import TYPE_CHECKING

from rich.text import Text

from theory.words import number_of, visible

if TYPE_CHECKING:  # only cli/compress.py needs up.use
    from up.use.compression import CodedFile
    from up.use.compression_orders import Order


def coded_line(order: "Order", coded: "CodedFile") -> Text:
    """Say sizes, bits per byte and time."""
    bits = "" if coded.bits_per_byte is None else f", {coded.bits_per_byte:.3f} bits per byte"
    sizes = f"{number_of(coded.data_bytes, 'byte')} in {coded.compressed_bytes:,}"
    return Text(f"{visible(order.output_name)}: {sizes}{bits}, {coded.seconds:.1f} s")
