"""The roots that the image trusts for its database: Amazon RDS's own, in force, as their page says."""

import hashlib
import re
import shutil
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "app" / "certs"
BUNDLE = FOLDER / "rds-global-bundle.pem"
PAGE = (FOLDER / "README.md").read_text()
YEAR_SECONDS = 365 * 86400
PEM = re.compile(r"-----BEGIN CERTIFICATE-----\n.*?-----END CERTIFICATE-----\n", re.DOTALL)


def roots() -> list[dict[str, Any]]:
    context = ssl.create_default_context(cafile=str(BUNDLE))
    return context.get_ca_certs()


def name_of(name: Any) -> dict[str, str]:
    return {key: value for ((key, value),) in name}


def test_libpq_can_read_every_certificate_and_none_is_there_twice():
    text = BUNDLE.read_text()
    assert len(roots()) == len(PEM.findall(text)) == len(set(PEM.findall(text))) == 81


def test_each_is_a_root_of_amazon_rds_for_one_region_and_in_force():
    for root in roots():
        subject = name_of(root["subject"])
        assert root["subject"] == root["issuer"]
        assert subject["organizationName"] == "Amazon Web Services, Inc."
        assert subject["organizationalUnitName"] == "Amazon RDS"
        assert re.fullmatch(
            r"Amazon RDS [a-z]{2}-[a-z]+-\d Root CA (RSA2048|RSA4096|ECC384) G1", subject["commonName"]
        )
        assert ssl.cert_time_to_seconds(root["notBefore"]) < time.time()
        assert ssl.cert_time_to_seconds(root["notAfter"]) > time.time() + YEAR_SECONDS


def test_each_has_signed_itself(tmp_path):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    one = tmp_path / "one.pem"
    alone = ["-no-CAfile", "-no-CApath", "-no-CAstore", "-check_ss_sig", "-CAfile", str(one), str(one)]
    for pem in PEM.findall(BUNDLE.read_text()):
        one.write_text(pem)
        done = subprocess.run([openssl, "verify", *alone], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_their_page_names_the_file_and_every_region():
    assert hashlib.sha256(BUNDLE.read_bytes()).hexdigest() in PAGE
    regions = {name_of(root["subject"])["commonName"].split()[2] for root in roots()}
    listed = set(re.findall(r"\b[a-z]{2}-[a-z]+-\d\b", PAGE.split("Regions: ")[1].split("\n\n")[0]))
    assert listed == regions
