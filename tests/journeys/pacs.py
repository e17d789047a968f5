"""Orthanc as the PACS around the node: it forwards what it receives by a routing rule, and keeps what comes back."""

import io
import json
import re
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread

from tests.waiting import eventually

AE_TITLE, PORT, HTTP = "PACS", 4242, "http://127.0.0.1:8042"
_PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"

_OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"

FORWARD_EVERYTHING = """
function OnStableStudy(studyId, tags, metadata)
  for _, instance in pairs(ParseJson(RestApiGet('/studies/' .. studyId .. '/instances'))) do
    SendToModality(instance['ID'], 'aasnode')
  end
end
"""
"""The simplest rule there is: the whole study, and again whenever something was added to it, also by us."""


def documented_rule() -> str:
    """The routing rule that docs/operations.md tells people to use."""
    [rule] = re.findall(r"```lua\n(.*?)```", _OPERATIONS.read_text(encoding="utf-8"), re.DOTALL)
    return str(rule)


class Orthanc:
    """One archive with its routing rule. It may be stopped and started again."""

    def __init__(self, folder: Path, routing_rule: str) -> None:
        folder.mkdir()
        rule = folder / "route.lua"
        rule.write_text(routing_rule)
        self._folder = folder
        self._config = folder / "orthanc.json"
        self._config.write_text(json.dumps(_configuration(folder, rule)))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "orthanc.log").open("ab") as log:
            self._process = subprocess.Popen(["Orthanc", self._config], stdout=log, stderr=log, cwd=self._folder)
        eventually(self._answers, "Orthanc answers")

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(30)

    def get(self, path: str) -> Any:
        return json.loads(self._read(path, accept="application/dicom+json, application/json") or b"[]")

    def objects(self, study: str, modality: str) -> list[Dataset]:
        """The instances of a modality in a study, as the archive keeps them."""
        files = (self._read(f"/instances/{one}/file", accept="application/dicom") for one in self.get("/instances"))
        held = [dcmread(io.BytesIO(file)) for file in files]
        return [one for one in held if (one.StudyInstanceUID, one.Modality) == (study, modality)]

    def instances(self, study: str) -> list[dict[str, Any]]:
        """What DICOMweb (QIDO-RS) finds in a study."""
        return list(self.get(f"/dicom-web/studies/{study}/instances"))

    def modalities(self, study: str) -> list[str]:
        """The modality of each instance of a study, sorted."""
        return sorted(one["00080060"]["Value"][0] for one in self.instances(study))

    @staticmethod
    def _read(path: str, *, accept: str) -> bytes:
        request = urllib.request.Request(f"{HTTP}{path}", headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bytes(answer.read())

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "orthanc.log").read_text()
        try:
            return bool(self.get("/system"))
        except OSError:
            return False


def _configuration(folder: Path, rule: Path) -> dict[str, object]:
    return {
        "Name": AE_TITLE,
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "HttpPort": 8042,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAet": AE_TITLE,
        "DicomPort": PORT,
        "DicomCheckCalledAet": True,
        "DicomAlwaysAllowStore": True,
        "StableAge": 1,
        "OverwriteInstances": True,
        "DicomModalities": {"aasnode": ["AASNODE", "127.0.0.1", 11112]},
        "LuaScripts": [str(rule)],
        "Plugins": [_PLUGIN],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
