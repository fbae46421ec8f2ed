// What every command that runs a model shares: the flags, and the way from them to a loaded model.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <CLI/App.hpp>

#include "app/devices.h"
#include "app/store/file_in_use.h"
#include "base/result.h"
#include "engine/model_session.h"

namespace rf::app {

struct ModelOptions {
  std::string model;
  DeviceOptions devices;
  std::optional<uint64_t> seed;  ///< nothing: see SeedOf
  std::string chat_template_file;
  /// What the flags say; a command adds its own needs (max_sequences, max_outputs) before OpenSession.
  SessionOptions session;
};

/// Declares MODEL (required; the returned option can be relaxed) and --device, --require-gpu, --gpu-layers, --threads,
/// --isa, --activations, --no-repack, --ctx, --seed, --prefill-chunk, --kv-type, --kv-tokens, --no-prefix-cache,
/// --no-graphs,
/// --no-mmap, --verify, --verify-weights and --chat-template-file. `options` must live as long as `command`. Values out
/// of range end parsing with a message that names option, value and range.
CLI::Option* AddModelOptions(CLI::App& command, ModelOptions& options);

/// A model with the devices that it lives on.
struct OpenedModel {
  FileInUse file;      ///< so that nobody removes the model meanwhile
  DeviceList devices;  // declared before the session, which must go before them
  std::unique_ptr<ModelSession> session;

  /// The device that the session's plan runs on; of two the one with the output.
  Device& DeviceInUse() const;
};

/// Finds MODEL, creates the devices, loads; shows progress on stderr if that is a terminal. Errors: those of
/// ResolveModel, CreateDevices and LoadModel, and of reading the chat template's file.
Result<OpenedModel> OpenSession(const ModelOptions& options);

/// --seed, or without it a new random one.
uint64_t SeedOf(const ModelOptions& options);

}  // namespace rf::app
