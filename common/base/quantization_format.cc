#include "common/base/quantization_format.h"

#include <map>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/utf8.h"

namespace mozgach {
namespace {

using nlohmann::json;

constexpr size_t kValueBytesShown = 80;

// How people write the methods that transformers names in lower case.
std::string FormatName(const std::string& method) {
  static const std::map<std::string, std::string> kNames = {
      {"aqlm", "AQLM"},         {"auto-round", "AutoRound"},
      {"awq", "AWQ"},           {"bitnet", "BitNet"},
      {"eetq", "EETQ"},         {"exl2", "EXL2"},
      {"exl3", "EXL3"},         {"fbgemm_fp8", "FBGEMM FP8"},
      {"fp8", "FP8"},           {"gptq", "GPTQ"},
      {"higgs", "HIGGS"},       {"hqq", "HQQ"},
      {"modelopt", "ModelOpt"}, {"mxfp4", "MXFP4"},
      {"quark", "Quark"},       {"spqr", "SpQR"},
      {"vptq", "VPTQ"}};
  const auto known = kNames.find(absl::AsciiStrToLower(method));
  return known == kNames.end() ? Abbreviate(method, kValueBytesShown) : known->second;
}

bool IsTrue(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

absl::Status CheckMethod(const json& settings, const std::string& key, bool is_mlx) {
  if (!settings.is_object() || settings.empty()) return absl::OkStatus();
  const auto found = settings.find("quant_method");
  const std::string method =
      found != settings.end() && found->is_string() ? found->get<std::string>() : "";
  if (method.empty() || absl::StartsWith(absl::AsciiStrToLower(method), "bitsandbytes")) {
    if (IsTrue(settings, "load_in_8bit") || IsTrue(settings, "_load_in_8bit")) {
      return UnsupportedQuantization("bitsandbytes in 8 bits",
                                     absl::StrCat(key, ".load_in_8bit is true in config.json"));
    }
    if (!method.empty() || !settings.contains("bits")) return absl::OkStatus();
    return UnsupportedQuantization(
        is_mlx ? "MLX" : "a method it does not name",
        absl::StrCat(key, ".bits is ", Abbreviate(settings["bits"].dump(), kValueBytesShown),
                     " in config.json"));
  }
  return UnsupportedQuantization(
      FormatName(method), absl::StrCat(key, ".quant_method is '",
                                       Abbreviate(method, kValueBytesShown), "' in config.json"));
}

// What only one format calls its tensors; the more telling ends come first.
std::string FormatOfName(const std::string& name, bool has_groups) {
  const auto ends = [&name](std::string_view end) { return name.ends_with(end); };
  if (ends(".qweight") || ends(".qzeros")) return has_groups ? "GPTQ" : "AWQ or GPTQ";
  if (ends(".weight_packed")) return "compressed-tensors";
  if (ends(".weight_scale_inv")) return "FP8";
  if (ends(".weight_scale_2")) return "NVFP4";
  if (ends(".q_weight") || ends(".q_scale_max")) return "EXL2";
  if (ends(".W_q")) return "HQQ";
  if (ends(".codebooks")) return "AQLM";
  if (ends(".SCB")) return "bitsandbytes in 8 bits";
  if (ends("_proj_blocks")) return "MXFP4";
  return "";
}

// What the type of a tensor says, which several formats share; "" for a plain tensor.
std::string FormatOfType(const std::string& name, const std::string& dtype) {
  if (dtype == "F4" || dtype == "F8_E8M0") return "MXFP4";
  if (dtype.starts_with("F8")) return "FP8";
  if (name.ends_with(".weight_scale")) return "FP8 or INT8";
  if (name.ends_with(".weight") && dtype == "I8") return "INT8";
  if (name.ends_with(".weight") && dtype == "U32") return "MLX";
  return "";
}

}  // namespace

absl::Status UnsupportedQuantization(const std::string& format, const std::string& evidence) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the base is quantised with ", format, " (", evidence,
      "), which cannot be trained; safetensors in 16 or 32 bits and bitsandbytes 4-bit weights "
      "can. Use the original, unquantised checkpoint: it is quantised to 4 bits while it is "
      "loaded (quantization.load_in_4bit)"));
}

absl::Status CheckQuantizationConfig(const json& config) {
  if (!config.is_object()) return absl::OkStatus();
  const bool is_mlx = config.contains("quantization");
  for (const char* key : {"quantization_config", "compression_config", "quantization"}) {
    if (const auto found = config.find(key); found != config.end()) {
      RETURN_IF_ERROR(CheckMethod(*found, key, is_mlx));
    }
  }
  const auto text = config.find("text_config");
  if (text == config.end() || !text->is_object()) return absl::OkStatus();
  const auto found = text->find("quantization_config");
  if (found == text->end()) return absl::OkStatus();
  return CheckMethod(*found, "text_config.quantization_config", /*is_mlx=*/false);
}

absl::Status CheckTensorFormat(const TensorTypes& tensors) {
  bool has_groups = false;
  for (const auto& [name, dtype] : tensors) has_groups = has_groups || name.ends_with(".g_idx");
  for (const bool by_name : {true, false}) {
    for (const auto& [name, dtype] : tensors) {
      const std::string format =
          by_name ? FormatOfName(name, has_groups) : FormatOfType(name, dtype);
      if (format.empty()) continue;
      return UnsupportedQuantization(
          format, absl::StrCat("it has the tensor '", Abbreviate(name, 200), "' of type ", dtype));
    }
  }
  return absl::OkStatus();
}

}  // namespace mozgach
