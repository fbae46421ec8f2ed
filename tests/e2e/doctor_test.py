"""`doctor` on this machine, which need have no GPU: the shape of what it says, and that no GPU is no failure."""
import glob
import os

from conftest import NO_MODULE, run, run_json


def has_amd_gpu():
    def vendor(path):
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    return os.path.exists("/dev/kfd") or any(vendor(path) == "0x1002" for path in glob.glob("/sys/class/drm/card*/device/vendor"))


def test_every_check_says_how_it_is():
    result = run("doctor", "--json", env=NO_MODULE)
    assert result.returncode == (4 if has_amd_gpu() else 0), result.stderr
    checks = run_json("doctor", env=NO_MODULE) if result.returncode == 0 else []
    for check in checks:
        assert list(check) == ["check", "status", "detail", "advice"]
        assert check["status"] in ("ok", "warn") and check["detail"]
        assert (check["advice"] == "") == (check["status"] == "ok")
    names = [check["check"] for check in checks]
    assert not checks or (names[0] == "card" and names[-1] == "cpu" and {"driver", "kfd", "render", "module"} <= set(names))


def test_the_module_is_opened():
    text = run("doctor", env=NO_MODULE).stdout
    assert "ROCMFORGE_GPU_MODULE names '/nowhere/librocmforge_hip.so'" in text and " threads, " in text


def test_an_override_is_named():
    text = run("doctor", env={**NO_MODULE, "HSA_OVERRIDE_GFX_VERSION": "10.3.0"}).stdout
    assert "HSA_OVERRIDE_GFX_VERSION='10.3.0'" in text and "-> unset it" in text
