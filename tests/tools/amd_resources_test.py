#!/usr/bin/env python3
"""Whether tools/amd_resources.py finds what it is there to find, on small kernels that it compiles with the compiler of
scripts/install-amd-compiler.sh, or $ROCMFORGE_HIPCC; and what scripts/check-amd.sh says where there is none.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
HIPCC = os.environ.get("ROCMFORGE_HIPCC", str(CACHE / "rocmforge-amd/bin/hipcc"))
# What hip_runtime.h would say, but ten times as quick to read.
BEGIN = """
#define __global__ __attribute__((global))
__attribute__((device)) inline unsigned Thread() { return __builtin_amdgcn_workitem_id_x(); }
"""
DOT = BEGIN + """
__global__ void Dot(const int* a, const int* b, int* c) {
#if defined(__GFX11__) || defined(__GFX12__)
  c[Thread()] = __builtin_amdgcn_sudot4(true, a[Thread()], true, b[Thread()], c[Thread()], false);
#else
  c[Thread()] = __builtin_amdgcn_sdot4(a[Thread()], b[Thread()], c[Thread()], false);
#endif
}
"""
WITHOUT_DOT = BEGIN + """
__global__ void Dot(const int* a, const int* b, int* c) { c[Thread()] += a[Thread()] * b[Thread()]; }
"""
# An array that is indexed with what nobody knows lies in private memory.
INDEXED = BEGIN + """
__global__ void Dot(const int* at, int* c) {
  int values[64];
  for (int i = 0; i < 64; ++i) values[i] = at[i] * i;
  for (int i = 0; i < 64; ++i) values[at[i + Thread()]] += i;
  c[Thread()] = values[at[Thread()]];
}
"""
# More numbers than a thread of so large a block has registers, all needed before the first is written.
CROWDED = BEGIN + """
__global__ void Dot(const float* a, float* c) {
  float values[160];
#pragma unroll
  for (int i = 0; i < 160; ++i) values[i] = a[i * 1024 + Thread()];
#pragma unroll
  for (int i = 0; i < 160; ++i) c[i * 1024 + Thread()] = values[i] * values[159 - i];
}
"""
# Nobody knows what a function of another file needs.
ELSEWHERE = BEGIN + """
__attribute__((device)) int Elsewhere(int);
__global__ void Dot(int* c) { c[Thread()] = Elsewhere(c[Thread()]); }
"""
RULE = "kernel\ttargets\tinstruction\n" + "Dot\tgfx\tv_dot4c?_i32_i\n"
NO_RULE = "kernel\ttargets\tinstruction\n"


class Check(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        (cls.folder / "kernels").mkdir()

    def setUp(self):
        (self.folder / "table.tsv").unlink(missing_ok=True)

    def check(self, source, *options, rules=RULE):
        """(exit code, output) for one kernel file. Results are kept from test to test, as they are for who uses the tool."""
        (self.folder / "kernels/kernel.cc").write_text(source)
        (self.folder / "rules.tsv").write_text(rules)
        done = subprocess.run([sys.executable, ROOT / "tools/amd_resources.py", "--hipcc", HIPCC, "--generated", self.folder, "--kernels",
                               self.folder / "kernels", "--table", self.folder / "table.tsv", "--rules", self.folder / "rules.tsv",
                               "--cache", self.folder / "cache", *options], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def assert_finds(self, text, result):
        self.assertEqual(result[0], 1, result[1])
        self.assertRegex(result[1], text)

    def test_what_is_right_passes_with_its_table_on_all_targets(self):
        self.assertEqual(self.check(DOT, "--update"), (0, "1 kernels on 9 targets, 0 findings\n"))
        self.assertEqual(self.check(DOT), (0, "1 kernels on 9 targets, 0 findings\n"))

    def test_a_kernel_without_its_instruction(self):
        self.assert_finds("Dot on gfx1030 has no v_dot4", self.check(WITHOUT_DOT, "--update", "--targets", "gfx1030,gfx1100,gfx942"))

    def test_a_rule_for_a_kernel_that_there_is_not(self):
        self.assert_finds("no kernel is called Dto", self.check(DOT, "--update", "--targets", "gfx1100", rules=RULE.replace("Dot", "Dto")))

    def test_scratch_memory(self):
        self.assert_finds(r"Dot on gfx1100: scratch \d+", self.check(INDEXED, "--update", "--targets", "gfx1100", rules=NO_RULE))

    def test_a_call_of_another_file(self):
        self.assert_finds("Dot on gfx1100: dynamic stack 1", self.check(ELSEWHERE, "--update", "--targets", "gfx1100", rules=NO_RULE))

    def test_spilled_registers(self):
        result = self.check(CROWDED, "--update", "--targets", "gfx1100,gfx942", rules=NO_RULE)
        self.assert_finds(r"Dot on gfx1100: VGPR spills \d+", result)
        self.assert_finds(r"Dot on gfx942: VGPR spills \d+", result)

    def test_a_kernel_that_is_not_in_the_table(self):
        self.assert_finds("Dot on gfx1100 is not in the table", self.check(DOT, "--targets", "gfx1100"))

    def test_more_registers_than_the_table_has(self):
        self.check(DOT, "--update", "--targets", "gfx1100")
        table = self.folder / "table.tsv"
        registers = table.read_text().splitlines()[2].split("\t")[1].split("/")[0]
        table.write_text(table.read_text().replace(f"\t{registers}/", "\t1/"))
        self.assert_finds(f"Dot on gfx1100: VGPRs {registers}, in the table 1\n", self.check(DOT, "--targets", "gfx1100"))

    def test_a_kernel_of_the_table_that_is_gone(self):
        self.check(DOT, "--update", "--targets", "gfx1100")
        gone = self.check(DOT.replace("void Dot", "void Other"), "--targets", "gfx1100", rules=NO_RULE)
        self.assert_finds("Dot on gfx1100 is in the table, but there is no such kernel", gone)

    def test_what_does_not_compile(self):
        self.assert_finds("kernel.cc does not compile for gfx1100", self.check(DOT.replace("c[", "d["), "--targets", "gfx1100"))

    def test_a_warning(self):
        self.assert_finds("unused variable", self.check(DOT.replace("{\n", "{\n  int unused;\n", 1), "--targets", "gfx1100"))

    def test_no_kernels_at_all(self):
        self.assert_finds("0 kernels on 1 targets", self.check("", "--targets", "gfx1100", rules=NO_RULE))

    def test_kept_results_are_those_of_the_same_file_only(self):
        self.check(DOT, "--update", "--targets", "gfx1100")
        self.assertEqual(self.check(DOT, "--targets", "gfx1100")[0], 0)
        self.assert_finds("Dot on gfx1100 has no v_dot4", self.check(WITHOUT_DOT, "--targets", "gfx1100"))
        self.assertEqual(self.check(DOT, "--targets", "gfx1100")[0], 0)

    def test_a_target_that_there_is_not(self):
        self.assertEqual(self.check(DOT, "--targets", "gfx1100,gfx999")[0], 2)

    def run_script(self, **environment):
        done = subprocess.run([ROOT / "scripts/check-amd.sh"], env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    def test_a_compiler_that_does_not_run(self):
        self.assertEqual(self.run_script(ROCMFORGE_HIPCC="/nowhere/hipcc"),
                         (3, "The AMD kernels were not checked: /nowhere/hipcc does not run.\n"))

    def test_no_compiler_and_no_network(self):
        apt = self.folder / "bin/apt-get"
        apt.parent.mkdir()
        apt.write_text("#!/bin/sh\nexit 100\n")
        apt.chmod(0o755)
        code, output = self.run_script(ROCMFORGE_HIPCC="", XDG_CACHE_HOME=str(self.folder / "empty"), PATH=f"{apt.parent}:{os.environ['PATH']}")
        self.assertEqual(code, 3)
        self.assertRegex(output, "^The AMD kernels were not checked: there is no compiler, and it could not be installed .*\n$")


if __name__ == "__main__":
    unittest.main()
