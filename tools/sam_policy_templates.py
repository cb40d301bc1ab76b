#!/usr/bin/env python3
"""Write crates/template/src/data/policy_templates.json from the SAM translator's own policy templates.

AWS publishes them in the package aws-sam-translator (Apache-2.0). Only names, parameters and policy documents are taken;
descriptions stay behind. Run from the repository's root: `python3 tools/sam_policy_templates.py`.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

VERSION = "1.115.0"
MEMBER = "samtranslator/policy_templates_data/policy_templates.json"
TARGET = pathlib.Path("crates/template/src/data/policy_templates.json")


def main():
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        subprocess.run([*pip, f"aws-sam-translator=={VERSION}"], check=True)
        (wheel,) = pathlib.Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            source = json.loads(archive.read(MEMBER))

    templates = {
        name: {"parameters": sorted(template["Parameters"]), "document": template["Definition"]}
        for name, template in sorted(source["Templates"].items())
    }
    text = json.dumps({"source": f"aws-sam-translator {VERSION}", "templates": templates}, indent=1)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text + "\n")
    print(f"{len(templates)} policy templates written to {TARGET}")


if __name__ == "__main__":
    main()
