"""Reads `cargo metadata`, writes what is built in as CycloneDX 1.5: name, version, licence and source of each library."""

import json
import sys

metadata = json.load(sys.stdin)
components = [
    {
        "type": "library",
        "name": package["name"],
        "version": package["version"],
        "purl": f"pkg:cargo/{package['name']}@{package['version']}",
        "licenses": [{"expression": package["license"].replace("/", " OR ")}] if package["license"] else [],
    }
    for package in metadata["packages"]
    if package["source"]
]
if not components:
    sys.exit("nothing is built in: that cannot be")
json.dump({"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components}, sys.stdout, indent=1)
