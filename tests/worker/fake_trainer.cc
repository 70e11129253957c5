// fake_trainer: a trainer without libtorch.  It speaks docs/trainer_protocol.md, "loads" at once,
// "trains" at the pace the domain's labels ask for, checkpoints, resumes, and leaves a directory
// that looks like a PEFT adapter.  For tests and benchmarks of everything around the trainer.
//
//   labels:  fake_steps: 20       default: training.max_steps, else 20
//            fake_step_ms: 5      default 1
//            fake_eval_ms: 50     default 0
//            fake_eval_at: 5      a step after which it tells an eval_loss of 0.75; default: none
//            fake_load_ms: 100    default 0; where another base is loaded
//            fake_bytes: 100000   of the adapter; default 4096
//            fake_fail:           crash, exit, user, data, out_of_memory, infrastructure, garbage
//                                 (goes on after it) or hang
//            fake_fail_at: 10     the step at which it does so; default 1
//            fake_fail_once: yes  only where there is no checkpoint yet
//            fake_deaf: yes       it does not hear `cancel`
//
//   fake_trainer serve [--threads N] [--device NAME]   --hang-at-exit  --slow-start MS
//   --die-at-start fake_trainer devices                  those of FAKE_DEVICES, a list with commas;
//   default: cpu
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include "nlohmann/json.hpp"

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Milliseconds = std::chrono::milliseconds;

// What waits, and what was cancelled.
struct Requests {
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<Json> trains;
  std::set<std::pair<int64_t, int64_t>> cancelled;
  std::set<std::pair<int64_t, int64_t>> saved;  // cancelled attempts that save a checkpoint
  bool exit = false;
};

void Say(const Json& event) { std::cout << event.dump() << std::endl; }

// Reads stdin to its end.
void Listen(Requests& requests) {
  std::string line;
  while (std::getline(std::cin, line)) {
    const Json request = Json::parse(line, nullptr, false);
    const std::string op = request.is_object() ? request.value("op", "") : "";
    const std::lock_guard lock(requests.mutex);
    if (op == "train") {
      requests.trains.push_back(request);
    } else if (op == "cancel") {
      requests.cancelled.emplace(request.at("job"), request.at("attempt"));
      if (request.value("save", false))
        requests.saved.emplace(request.at("job"), request.at("attempt"));
    } else if (op == "exit") {
      break;
    } else {
      Say({{"event", "error"}, {"message", "no request: " + line.substr(0, 80)}});
    }
    requests.arrived.notify_all();
  }
  const std::lock_guard lock(requests.mutex);
  requests.exit = true;
  requests.arrived.notify_all();
}

class Job {
 public:
  Job(Requests& requests, const Json& request) : requests_(requests), request_(request) {
    const Json& spec = request.at("spec");
    labels_ = spec.value("labels", Json::object());
    const Json training = spec.value("training", Json::object());
    const Json max_steps = training.value("max_steps", Json());
    steps_ = Number("fake_steps", max_steps.is_number() ? max_steps.get<int64_t>() : 20);
    save_steps_ = training.value("save_steps", int64_t{200});
    checkpoints_ = request.at("checkpoint_dir").get<std::string>();
  }

  void Run(std::string& loaded_base, int64_t& base_loads) {
    Tell("phase", {{"phase", "preparing"}});
    if (const std::string base = request_.at("spec").at("base"); base != loaded_base) {
      if (!Wait(Number("fake_load_ms", 0))) return Cancelled();
      loaded_base = base;
      Say({{"event", "base_loaded"},
           {"base", base},
           {"base_digest", std::string(64, 'b')},
           {"seconds", 0.001},
           {"base_loads", ++base_loads},
           {"memory_bytes", 1 << 20}});
    }
    if (!CountRows()) return;
    if (!Train()) return;
    Tell("phase", {{"phase", "evaluating"}});
    if (!Wait(Number("fake_eval_ms", 0))) return Cancelled();
    WriteAdapter();
    Json done = {{"output_dir", request_.at("output_dir")},
                 {"metrics", Metrics()},
                 {"base_digest", std::string(64, 'b')},
                 {"code_version", "fake"},
                 {"train_rows", rows_},
                 {"steps", steps_},
                 {"train_seconds", 0.5},
                 {"memory_peak_bytes", 3 << 20},
                 {"memory_bytes", 1 << 20},
                 {"base_loads", base_loads}};
    Tell("done", done);
  }

 private:
  std::string Label(const char* key) const { return labels_.value(key, ""); }
  int64_t Number(const char* key, int64_t fallback) const {
    const std::string text = Label(key);
    return text.empty() ? fallback : std::stoll(text);
  }

  void Tell(const char* event, Json fields) const {
    fields["event"] = event;
    fields["job"] = request_.at("job");
    fields["attempt"] = request_.at("attempt");
    Say(fields);
  }

  void Cancelled() const { Tell("cancelled", {{"memory_bytes", 1 << 20}}); }

  bool saves() {
    const std::lock_guard lock(requests_.mutex);
    return requests_.saved.contains(
        {request_.at("job").get<int64_t>(), request_.at("attempt").get<int64_t>()});
  }

  // False when this job is to stop, or the whole process.
  bool Wait(int64_t ms) {
    const auto stop = [&] {
      const std::pair id(request_.at("job").get<int64_t>(), request_.at("attempt").get<int64_t>());
      return requests_.exit || (Label("fake_deaf").empty() && requests_.cancelled.contains(id));
    };
    std::unique_lock lock(requests_.mutex);
    return !requests_.arrived.wait_for(lock, Milliseconds(ms), stop);
  }

  bool CountRows() {
    for (const Json& path : request_.at("data").at("train")) {
      std::ifstream file(path.get<std::string>());
      if (!file) {
        Tell("failed", {{"class", "data"}, {"message", "cannot read " + path.get<std::string>()}});
        return false;
      }
      for (std::string line; std::getline(file, line);) rows_ += line.empty() ? 0 : 1;
    }
    return true;
  }

  int64_t LastCheckpoint() const {
    int64_t newest = 0;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(checkpoints_, none)) {
      const std::string name = entry.path().filename().string();
      if (name.rfind("step-", 0) == 0) newest = std::max(newest, std::stol(name.substr(5)));
    }
    return newest;
  }

  void Save(int64_t step) const {
    const std::string digits = std::to_string(1'000'000 + step).substr(1);
    const fs::path path = checkpoints_ / ("step-" + digits), partial = checkpoints_ / ".partial";
    fs::create_directories(partial);
    std::ofstream(partial / "checkpoint.json") << Json{{"step", step}}.dump() << std::endl;
    std::ofstream(partial / "state.safetensors") << "state at step " << step << std::endl;
    fs::remove_all(path);
    fs::rename(partial, path);
    Tell("checkpoint", {{"step", step}, {"path", path.string()}});
  }

  bool Train() {
    const int64_t first = LastCheckpoint();
    Tell("phase", {{"phase", "training"}, {"data", {{"rows", rows_}, {"dropped", 0}}}});
    Tell("started", {{"step", first},
                     {"steps", steps_},
                     {"train_rows", rows_},
                     {"trainable_parameters", 1000},
                     {"pinned", {{"compute_dtype", "float32"}, {"threads", 1}}}});
    for (int64_t step = first + 1; step <= steps_; ++step) {
      if (!Wait(Number("fake_step_ms", 1))) {
        if (step > 1 && (requests_.exit || saves())) Save(step - 1);
        Cancelled();
        return false;
      }
      if (step == Number("fake_fail_at", 1) && !Misbehave(first)) return false;
      Tell("step", {{"step", step},
                    {"steps", steps_},
                    {"loss", 2.0 / static_cast<double>(step)},
                    {"step_loss", 2.0 / static_cast<double>(step)},
                    {"mean_loss", 1.0 + 1.0 / static_cast<double>(step)},
                    {"learning_rate", 1e-3},
                    {"grad_norm", 1.0},
                    {"tokens", step * 100},
                    {"tokens_per_second", 1000.0},
                    {"memory_peak_bytes", 2 << 20}});
      if (step % save_steps_ == 0) Save(step);
      if (step == Number("fake_eval_at", 0)) {
        Tell("evaluation", {{"step", step}, {"metrics", {{"adapter", {{"eval_loss", 0.75}}}}}});
      }
    }
    return true;
  }

  // What the labels ask for.  True: the job goes on.
  bool Misbehave(int64_t resumed_from) {
    const std::string fail = Label("fake_fail");
    if (fail.empty() || (!Label("fake_fail_once").empty() && resumed_from > 0)) return true;
    if (!Label("fake_fail_once").empty()) Save(1);
    if (fail == "garbage") {
      std::cout << "{\"event\": \"st\nnot json at all\n[]\n{\"event\": \"step\"}\n"
                << "{\"event\": \"song\"}\n\xff\xfe" << std::endl;
      return true;
    }
    if (fail == "hang") std::this_thread::sleep_for(std::chrono::hours(1));
    if (fail == "crash" || fail == "exit") {
      std::cerr << "fake_trainer: told to " << fail << std::endl;
      if (fail == "exit") std::_Exit(3);
      ::raise(SIGKILL);
    }
    Tell("failed", {{"class", fail}, {"message", "told to fail: " + fail}, {"memory_bytes", 0}});
    return false;
  }

  Json Metrics() const {
    return {{"base", {{"eval_loss", 3.0}, {"exact_match", 0.0}}},
            {"adapter", {{"eval_loss", 0.5}, {"exact_match", 0.95}}}};
  }

  // Whole or not at all.  The bytes depend on the domain alone.
  void WriteAdapter() const {
    const fs::path output = request_.at("output_dir").get<std::string>();
    const fs::path partial = output.string() + ".partial";
    fs::remove_all(partial);
    fs::create_directories(partial);
    const std::string domain = request_.at("spec").at("domain");
    std::ofstream(partial / "adapter_config.json") << Json{
        {"peft_type", "LORA"},
        {"r", 1},
        {"target_modules", {"q_proj"}},
        {"base_model_name_or_path",
         request_.at("spec").at("base")}}.dump(2);
    std::ofstream(partial / "README.md") << "# " << domain << "\n";
    std::ofstream(partial / "metrics.json") << Metrics().dump(2);
    WriteTensors(partial / "adapter_model.safetensors", domain);
    fs::rename(partial, output);
  }

  // A pair of rank 1, named as PEFT names it.
  void WriteTensors(const fs::path& path, const std::string& domain) const {
    const int64_t values = Number("fake_bytes", 4096) / 4;
    Json header = {{"__metadata__", {{"format", "pt"}}}};
    const std::string module = "base_model.model.model.layers.0.self_attn.q_proj";
    header[module + ".lora_A.weight"] = {
        {"dtype", "F32"}, {"shape", {1, values}}, {"data_offsets", {0, values * 4}}};
    header[module + ".lora_B.weight"] = {
        {"dtype", "F32"}, {"shape", {1, 1}}, {"data_offsets", {values * 4, values * 4 + 4}}};
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    std::ofstream file(path, std::ios::binary);
    const auto size = static_cast<uint64_t>(text.size());
    file.write(reinterpret_cast<const char*>(&size), sizeof(size));
    file << text;
    auto state = static_cast<uint32_t>(std::hash<std::string>()(domain));
    for (int64_t i = 0; i < values + 1; ++i) {
      state = state * 1664525u + 1013904223u;
      const float value = static_cast<float>(state >> 8) * 0x1p-24f - 0.5f;
      file.write(reinterpret_cast<const char*>(&value), sizeof(value));
    }
  }

  Requests& requests_;
  const Json request_;
  Json labels_;
  int64_t steps_ = 0;
  int64_t save_steps_ = 0;
  int64_t rows_ = 0;
  fs::path checkpoints_;
};

void ListDevices() {
  const char* set = std::getenv("FAKE_DEVICES");
  std::istringstream names(set == nullptr ? "cpu" : set);
  for (std::string name; std::getline(names, name, ',');) Say({{"name", name}, {"kind", "fake"}});
}

int Serve(bool hang_at_exit, const std::string& device) {
  Say({{"event", "ready"},
       {"version", "fake"},
       {"pid", ::getpid()},
       {"device",
        {{"name", device},
         {"kind", "fake"},
         {"memory_total_bytes", 8ll << 30},
         {"memory_free_bytes", 4ll << 30}}},
       {"memory_bytes", 1 << 20}});
  Requests requests;
  std::thread listener([&] { Listen(requests); });
  listener.detach();
  std::string loaded_base;
  int64_t base_loads = 0;
  for (;;) {
    std::unique_lock lock(requests.mutex);
    requests.arrived.wait(lock, [&] { return requests.exit || !requests.trains.empty(); });
    if (requests.exit) break;
    const Json request = requests.trains.front();
    requests.trains.pop_front();
    lock.unlock();
    Job(requests, request).Run(loaded_base, base_loads);
  }
  if (hang_at_exit) std::this_thread::sleep_for(std::chrono::hours(1));
  std::cout.flush();
  std::_Exit(0);  // the listener may still read
}

}  // namespace

int main(int argc, char** argv) {
  bool hang_at_exit = false;
  std::string device = "cpu";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "devices") {
      ListDevices();
      return 0;
    }
    if (word == "--device" && i + 1 < argc) device = argv[i + 1];
    if (word == "--hang-at-exit") hang_at_exit = true;
    if (word == "--die-at-start") return 4;
    if (word == "--slow-start" && i + 1 < argc) {
      std::this_thread::sleep_for(Milliseconds(std::stoll(argv[i + 1])));
    }
  }
  return Serve(hang_at_exit, device);
}
