"""Failures of a GPU while it runs, one check each: called by tools/gpu_verify.py."""
from gpu_verify_log import gtest_cases


def check_faults(log, budget, build):
    """The cases of rf_gpu_faults_test: memory that ends, a device that is lost at any call, a flipped bit of the weights."""
    code, cases = gtest_cases(budget, build, "rf_gpu_faults_test", "*")
    for case in cases:
        is_good = not case.get("failures") and case.get("result") == "COMPLETED"
        detail = (case.get("failures") or [{"failure": case.get("result", "no result")}])[0]["failure"]
        log.check(f"fault: {case['classname']}.{case['name']}", is_good, case.get("time", "") if is_good else " ".join(detail.split())[:200])
    log.check("rf_gpu_faults_test", code == 0 and len(cases) > 0, f"{len(cases)} faults, ended with {code}")


def check_weights(log, budget, program, model, device):
    """All weights copied back from the device are those of the file."""
    done = budget.run(program, "generate", model, "--device", device, "--require-gpu", "--verify-weights", "--ctx", 64, "-p", "a", "-n", 1,
                      "--temp", 0)
    log.check(f"{model.name}: weights on the device are the file's", done.returncode == 0, done.stderr.strip()[-200:] if done.returncode else "")
