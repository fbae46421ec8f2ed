#include "gguf/test_util/raw_gguf.h"

#include <fmt/format.h>

#include "base/check.h"
#include "gguf/test_util/base_model.h"

namespace rf {
namespace {

std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void Pad(std::string& out, uint64_t alignment) {
  while (alignment > 0 && out.size() % alignment != 0) out.push_back('\0');
}

}  // namespace

void PutRawString(std::string& out, std::string_view text) {
  PutRaw<uint64_t>(out, text.size());
  out.append(text);
}

RawImage RawGguf::Image() const {
  RawImage image;
  std::string& out = image.bytes;
  const auto mark = [&](const std::string& field) { image.at[field] = out.size(); };
  out = magic;
  mark("version"), PutRaw(out, version);
  mark("n_tensors"), PutRaw<uint64_t>(out, n_tensors.value_or(tensors.size()));
  mark("n_kv"), PutRaw<uint64_t>(out, n_kv.value_or(kvs.size()));
  for (size_t i = 0; i < kvs.size(); ++i) {
    const std::string name = fmt::format("kv[{}].", i);
    mark(name + "key_length"), PutRaw<uint64_t>(out, kvs[i].key.size());
    mark(name + "key"), out += kvs[i].key;
    mark(name + "type"), PutRaw(out, kvs[i].type);
    mark(name + "value"), out += kvs[i].value;
  }
  uint64_t end = 0;
  std::string data;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::string name = fmt::format("tensor[{}].", i);
    mark(name + "name_length"), PutRaw<uint64_t>(out, tensors[i].name.size());
    mark(name + "name"), out += tensors[i].name;
    mark(name + "n_dims"), PutRaw(out, static_cast<uint32_t>(tensors[i].ne.size()));
    for (size_t d = 0; d < tensors[i].ne.size(); ++d)
      mark(fmt::format("{}ne[{}]", name, d)), PutRaw(out, tensors[i].ne[d]);
    mark(name + "type"), PutRaw(out, tensors[i].type);
    mark(name + "offset"), PutRaw(out, tensors[i].offset.value_or(end));
    data += tensors[i].data;
    Pad(data, alignment);
    end = data.size();
  }
  Pad(out, alignment);
  mark("data");
  out += data;
  return image;
}

size_t RawGguf::Kv(std::string_view key) const {
  for (size_t i = 0; i < kvs.size(); ++i)
    if (kvs[i].key == key) return i;
  ThrowBug(__FILE__, __LINE__, "no such key", std::string(key));
}

size_t RawGguf::Tensor(std::string_view name) const {
  for (size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].name == name) return i;
  ThrowBug(__FILE__, __LINE__, "no such tensor", std::string(name));
}

RawGguf RawFrom(const GgufContents& contents) {
  RawGguf raw;
  raw.version = contents.version;
  for (const auto& [key, value, offset] : contents.metadata.entries()) {
    RawKv kv{key, static_cast<uint32_t>(value.type()), {}};
    if (value.is_array()) {
      PutRaw(kv.value, static_cast<uint32_t>(value.element_type()));
      PutRaw<uint64_t>(kv.value, value.size());
    }
    if (value.element_type() == GgufType::kString) {
      for (size_t i = 0; i < value.size(); ++i) PutRawString(kv.value, *value.AsString(i));
    } else {
      kv.value += AsText(value.bytes());
    }
    if (key == "general.alignment") raw.alignment = *value.AsU64();
    raw.kvs.push_back(std::move(kv));
  }
  for (const GgufTensorSource& tensor : contents.tensors) {
    RawTensor out{tensor.name, {}, static_cast<uint32_t>(GetFormatInfo(tensor.format).ggml_id), {}, {}};
    out.ne.assign(tensor.shape.rbegin(), tensor.shape.rend());
    out.data = AsText(tensor.bytes);
    raw.tensors.push_back(std::move(out));
  }
  return raw;
}

RawGguf RawBaseModel() {
  const BaseModel model = MakeBaseModel();
  return RawFrom(model.contents);
}

}  // namespace rf
