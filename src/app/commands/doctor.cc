// `doctor`: what stands in the way of a GPU's use on this machine, and what to do about it.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "app/commands/command.h"
#include "app/devices.h"
#include "app/input.h"
#include "hip/diagnosis/runtime_facts.h"

namespace rf::app {
namespace {

struct DoctorOptions {
  bool json = false;
};

// As models get it, with the tests that come before.
Result<std::unique_ptr<Device>> CreateNamed(const std::string& label) {
  RF_ASSIGN_OR_RETURN(DeviceList devices, CreateDevices({.device = label}));
  return std::move(devices.front());
}

// What a model runs on where there is no GPU.
Result<hip::Check> CheckCpu() {
  RF_ASSIGN_OR_RETURN(const DeviceList cpus, CreateDevices({.device = "cpu"}));
  const DeviceProperties& cpu = cpus.front()->properties();
  return hip::Check{"cpu", hip::CheckStatus::kOk,
                    fmt::format("{}: {} kernels, {} threads, {:.1f} GB of {:.1f} GB of memory are free", cpu.name,
                                cpu.isa, cpu.n_threads, static_cast<double>(cpu.free_bytes) / 1e9,
                                static_cast<double>(cpu.memory_bytes) / 1e9),
                    ""};
}

void Print(const std::vector<hip::Check>& checks) {
  for (const hip::Check& check : checks) {
    fmt::print("{:<5} {:<9} {}\n", hip::NameOf(check.status), check.name, check.detail);
    if (!check.advice.empty()) fmt::print("{:<15} -> {}\n", "", check.advice);
  }
}

void PrintChecksAsJson(const std::vector<hip::Check>& checks) {
  auto list = nlohmann::ordered_json::array();
  for (const hip::Check& check : checks) {
    list.push_back({{"check", check.name},
                    {"status", hip::NameOf(check.status)},
                    {"detail", check.detail},
                    {"advice", check.advice}});
  }
  PrintJson(list);
}

Status RunDoctor(const DoctorOptions& options) {
  std::vector<hip::Check> checks =
      hip::CheckGpu(hip::ReadSystemFacts(), hip::ReadRuntimeFacts(CreateNamed), hip::ReadSettings());
  RF_ASSIGN_OR_RETURN(hip::Check cpu, CheckCpu());
  checks.push_back(std::move(cpu));
  if (options.json) {
    PrintChecksAsJson(checks);
  } else {
    Print(checks);
  }
  int n_failed = 0;
  for (const hip::Check& check : checks) n_failed += check.status == hip::CheckStatus::kFail ? 1 : 0;
  if (n_failed == 0) return {};
  return Error{ErrorCode::kDevice, fmt::format("{} checks failed: the GPU cannot be used as it is", n_failed),
               "doctor"};
}

}  // namespace

void AddDoctorCommand(CLI::App& root, CommandWork& chosen) {
  AddCommand<DoctorOptions>(
      root, chosen, "doctor", "Say what keeps an AMD GPU from being used here, and what to do",
      [](CLI::App& command, DoctorOptions& options) {
        command.footer(
            "Looks at the card, the kernel's driver, who may open it, ROCm and the GPU module, and tests each device.\n"
            "Ends with exit code 4 if a machine that has an AMD GPU cannot use it.");
        command.add_flag("--json", options.json, "print a JSON array");
      },
      RunDoctor);
}

}  // namespace rf::app
