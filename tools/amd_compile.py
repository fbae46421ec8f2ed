"""Compiles a GPU kernel file for one AMD target and tells what each kernel needs. amd_resources.py uses it.

What a file gave is kept in a folder outside the tree and taken from there as long as compiler, flags, the file and all of ours that it
includes are the same.
"""
import collections
import hashlib
import json
import pathlib
import re
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLAGS = ["-x", "hip", "--cuda-device-only", "--no-gpu-bundle-output", "-std=c++20", "-O3", "-ffp-contract=off", "-Wall", "-Wextra",
         "-Werror"]
FUNCTION = re.compile(r"^(_Z\w+):")
INSTRUCTION = re.compile(r"^\s+(v_(?:dot|mfma|wmma|swmmac)\w+)")
COMMENT = re.compile(r"^; (NumVgprs|NumAgprs|Occupancy): (\d+)")
METADATA = re.compile(r"^  [ -] \.(name|sgpr_count|group_segment_fixed_size|private_segment_fixed_size|sgpr_spill_count|vgpr_spill_count|"
                      r"uses_dynamic_stack): +(\w+)$")
KEPT_ENTRIES = 8  # of a file and a target: as many branches as somebody goes back and forth between


def kernels_of(assembly):
    """A dict for each kernel of a compiler's assembly, by its mangled name."""
    kernels = collections.defaultdict(lambda: {"instructions": {}})
    name = None
    fields = None  # of the metadata's kernel; its name comes after some of them
    for line in assembly.splitlines():
        if line[:1] == "_" and (match := FUNCTION.match(line)):
            name = match[1]
        elif line[:1] == ";" and name and (match := COMMENT.match(line)):
            kernels[name][match[1]] = int(match[2])
        elif "\tv_" in line and name and (match := INSTRUCTION.match(line)):
            counts = kernels[name]["instructions"]
            counts[match[1]] = counts.get(match[1], 0) + 1
        elif line.startswith("  - .args") or line.startswith("  - .agpr_count"):
            fields = {}
        elif fields is not None and (match := METADATA.match(line)):
            fields[match[1]] = match[2]
            if match[1] == "name":
                kernels[match[2]]["metadata"] = fields
    return {name: plain_numbers(kernel) for name, kernel in kernels.items() if "metadata" in kernel}


def plain_numbers(kernel):
    metadata = kernel["metadata"]
    return {
        "VGPRs": kernel["NumVgprs"],
        "AGPRs": kernel.get("NumAgprs", 0),
        "SGPRs": int(metadata["sgpr_count"]),
        "LDS": int(metadata["group_segment_fixed_size"]),
        "occupancy": kernel["Occupancy"],
        "scratch": int(metadata["private_segment_fixed_size"]),
        "dynamic stack": int(metadata.get("uses_dynamic_stack", "false") == "true"),
        "SGPR spills": int(metadata["sgpr_spill_count"]),
        "VGPR spills": int(metadata["vgpr_spill_count"]),
        "instructions": kernel["instructions"],
    }


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Compiler:
    """hipcc: the compiler. generated: the folder of generated headers. cache: where results are kept, or None. keep: where the assembly
    is left for who wants to read it, or None."""

    def __init__(self, hipcc, generated, cache=None, keep=None):
        self.hipcc, self.cache, self.keep = hipcc, cache, keep
        self.generated = pathlib.Path(generated).resolve()
        self.version = subprocess.run([hipcc, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        self.identity = sha256(pathlib.Path(hipcc).read_bytes() + pathlib.Path(__file__).read_bytes())

    def compile(self, source, target):
        """(kernels, errors): what kernels_of says; if errors is not empty it does not compile."""
        entries = self.read_entries(source, target)
        if not self.keep:
            for entry in entries:
                if all(self.hash_of(path) == known for path, known in entry["inputs"].items()):
                    return entry["kernels"], ""
        with tempfile.TemporaryDirectory() as folder:
            depfile = pathlib.Path(folder) / "inputs.d"
            command = [self.hipcc, *FLAGS, f"--offload-arch={target}", f"-I{ROOT / 'src'}", f"-I{self.generated}", "-S", "-MD", "-MF",
                       str(depfile), str(source), "-o", "-"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                return {}, done.stderr or f"the compiler ended with {done.returncode}"
            inputs = self.inputs_of(depfile)
        if self.keep:
            (self.keep / f"{source.stem}.{target}.s").write_text(done.stdout)
        kernels = kernels_of(done.stdout)
        self.write_entries(source, target, [{"inputs": inputs, "kernels": kernels}] + entries)
        return kernels, ""

    def place(self, path):
        """A file's name, the same in every checkout."""
        for prefix, folder in (("generated:", self.generated), ("tree:", ROOT)):
            if path.is_relative_to(folder):
                return prefix + str(path.relative_to(folder))
        return str(path)

    def hash_of(self, place):
        prefix, _, name = place.rpartition(":")
        path = {"generated": self.generated, "tree": ROOT}.get(prefix, pathlib.Path("/")) / name
        return sha256(path.read_bytes()) if path.exists() else None

    def inputs_of(self, depfile):
        """What the result depends on, without the compiler's own headers: the compiler is part of the entry's name."""
        names = depfile.read_text().replace("\\\n", " ").split(": ", 1)[1].split()
        own = [pathlib.Path("/usr"), pathlib.Path(self.hipcc).resolve().parent.parent]
        paths = {pathlib.Path(name).resolve() for name in names}
        places = sorted(self.place(path) for path in paths if not any(path.is_relative_to(folder) for folder in own))
        return {place: self.hash_of(place) for place in places}

    def entry_file(self, source, target):
        key = json.dumps([self.version, self.identity, FLAGS, self.place(source.resolve()), target])
        return self.cache / f"{sha256(key.encode())}.json"

    def read_entries(self, source, target):
        if not self.cache:
            return []
        try:
            return json.loads(self.entry_file(source, target).read_text())
        except (OSError, ValueError):  # none yet, or cut off
            return []

    def write_entries(self, source, target, entries):
        if not self.cache:
            return
        self.cache.mkdir(parents=True, exist_ok=True)
        path = self.entry_file(source, target)
        with tempfile.NamedTemporaryFile("w", dir=self.cache, delete=False) as file:
            json.dump(entries[:KEPT_ENTRIES], file)
        pathlib.Path(file.name).replace(path)
