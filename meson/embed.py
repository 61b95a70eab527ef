#!/usr/bin/env python3
"""Writes a C file that holds files as bytes: embed.py SYMBOL OUTPUT FILE..."""
import os
import sys

symbol, output, *files = sys.argv[1:]
with open(output, "w", encoding="ascii") as out:
    out.write('#include "base/embed.h"\n\n')
    for number, path in enumerate(files):
        with open(path, "rb") as source:
            data = source.read()
        out.write(f"static const char file_{number}[] = {{\n")
        for at in range(0, len(data) + 1, 16):
            row = (data + b"\0")[at : at + 16]
            out.write("    " + "".join(f"(char)0x{byte:02x}," for byte in row) + "\n")
        out.write("};\n")
    out.write(f"\nconst struct embedded_file {symbol}[] = {{\n")
    for number, path in enumerate(files):
        name = os.path.basename(path)
        out.write(f'    {{"{name}", file_{number}, sizeof file_{number} - 1}},\n')
    out.write(f"    {{0}},\n}};\n")
