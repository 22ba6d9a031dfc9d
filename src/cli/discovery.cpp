#include "cli/discovery.h"

#include <array>
#include <sstream>

#include "cli/places.h"

namespace hearth {
namespace {

constexpr std::array candidates{
    Candidate{.name = "ollama",
              .program = "ollama",
              .port = 11434,
              .lines = "cmd: [ollama, serve]\n"
                       "env: {OLLAMA_HOST: \"127.0.0.1:${PORT}\"}\n"
                       "ready: {http: /}\n"
                       "keywords: [ask, chat, write, explain, summarize, summarise]\n"
                       "description: language models, by Ollama\n"},
    Candidate{.name = "llama",
              .program = "llama-server",
              .port = 8080,
              .is_complete = false,
              .lines = "cmd: [llama-server, --port, \"${PORT}\", -m, /path/to/model.gguf]\n"
                       "ready: {http: /health}\n"
                       "keywords: [ask, chat, write, explain]\n"
                       "description: a language model, by llama.cpp\n"},
    Candidate{.name = "llama-swap",
              .program = "llama-swap",
              .port = 8080,
              .is_complete = false,
              .lines = "cmd: [llama-swap, --listen, \"127.0.0.1:${PORT}\", --config, "
                       "/path/to/config.yaml]\n"
                       "ready: {http: /health}\n"
                       "keywords: [ask, chat, write, explain]\n"
                       "description: language models, by llama-swap\n"},
    Candidate{.name = "vllm",
              .program = "vllm",
              .port = 8000,
              .is_complete = false,
              .lines = "cmd: [vllm, serve, MODEL, --port, \"${PORT}\"]\n"
                       "ready: {http: /health}\n"
                       "keywords: [ask, chat, write, explain]\n"
                       "description: a language model, by vLLM\n"},
    Candidate{.name = "whisper",
              .program = "whisper-server",
              .port = 8080,
              .is_complete = false,
              .lines = "cmd: [whisper-server, --port, \"${PORT}\", -m, /path/to/ggml-model.bin]\n"
                       "ready: {tcp: true}\n"
                       "keywords: [transcribe, dictate, listen]\n"
                       "description: speech recognition, by whisper.cpp\n"},
    Candidate{.name = "speech",
              .program = "festival",
              .port = 1314,
              .lines = "cmd: [festival, --server, \"(set! server_port ${PORT})\"]\n"
                       "ready: {tcp: true}\n"
                       "keywords: [say, speak, pronounce, read aloud]\n"
                       "description: text to speech, by Festival\n"},
    Candidate{.name = "dictionary",
              .program = "dictd",
              .port = 2628,
              .is_complete = false,
              .lines = "cmd: [dictd, -dnodetach, -p, \"${PORT}\", --listen-to, 127.0.0.1]\n"
                       "ready: {tcp: true}\n"
                       "keywords: [define, meaning of, dictionary]\n"
                       "description: dictionaries, by dictd\n"},
    Candidate{.name = "translation",
              .program = "libretranslate",
              .port = 5000,
              .lines = "cmd: [libretranslate, --host, 127.0.0.1, --port, \"${PORT}\"]\n"
                       "ready: {http: /languages}\n"
                       "keywords: [translate, translation]\n"
                       "description: translation, by LibreTranslate\n"},
    Candidate{.name = "browser",
              .program = "chromium",
              .port = 9222,
              .lines = "cmd: [chromium, --headless, --disable-gpu,@ROOT \"--remote-debugging-port="
                       "${PORT}\", \"--user-data-dir=${STATE_DIR}\"]\n"
                       "ready: {http: /json/version}\n"
                       "keywords: [browse, web page, website]\n"
                       "description: a browser without a window\n"},
    Candidate{.name = "ocr",
              .program = "tesseract",
              .is_complete = false,
              .lines = "# tesseract answers one call at a time: name a server around it\n"
                       "cmd: [/path/to/your/ocr-server, --port, \"${PORT}\"]\n"
                       "ready: {tcp: true}\n"
                       "keywords: [screen, read this, screenshot]\n"
                       "description: text in pictures, by Tesseract\n"},
};

// A line of a candidate, with what only root has to say.
std::string line_for(std::string line, const FirstConfigOptions& options) {
  constexpr std::string_view mark = "@ROOT";
  const std::size_t at = line.find(mark);
  if (at != std::string::npos)
    line.replace(at, mark.size(), options.is_root ? " --no-sandbox," : "");
  return line;
}

void write_section(std::ostream& file, const Finding& finding, const FirstConfigOptions& options) {
  const Candidate& candidate = *finding.candidate;
  const std::string lead = candidate.is_complete && !finding.path.empty() ? "  " : "  # ";
  if (finding.path.empty()) {
    file << "  # Something listens on port " << candidate.port << ", where " << candidate.program
         << " does, but " << candidate.program << " is not on PATH.\n";
  } else {
    file << "  # Found at " << finding.path;
    if (finding.is_listening) {
      file << "; something listens on its usual port " << candidate.port
           << ":\n  # stop that one, and Hearth starts it when it is needed";
    }
    file << ".\n";
    if (!candidate.is_complete) file << "  # Complete the command, then take the # away.\n";
  }
  file << lead << candidate.name << ":\n";
  std::istringstream lines{std::string{candidate.lines}};
  for (std::string line; std::getline(lines, line);) {
    file << lead << "  " << line_for(std::move(line), options) << "\n";
  }
  file << "\n";
}

}  // namespace

std::vector<Finding> discover(const Environment& environment, const Listening& is_listening) {
  std::vector<Finding> findings;
  for (const Candidate& candidate : candidates) {
    Finding finding{&candidate, find_program(candidate.program, environment),
                    candidate.port != 0 && is_listening(candidate.port)};
    // Several programs use port 8080: a listener alone proves nothing there.
    const bool is_own_port = candidate.port != 8080 && candidate.port != 8000;
    if (!finding.path.empty() || (finding.is_listening && is_own_port)) {
      findings.push_back(std::move(finding));
    }
  }
  return findings;
}

std::string first_config(const std::vector<Finding>& findings, const FirstConfigOptions& options) {
  std::ostringstream file;
  file << "# Hearth's configuration. `hearth config check` says what is wrong with it,\n"
          "# `hearth config schema` prints its schema, `hearth serve` runs it.\n"
          "\n"
          "listen: {http: \"127.0.0.1:7411\"}\n"
          "memory: {budget: 60%}        # of this machine; or a size such as 8GiB\n"
          "\n";
  bool has_component = false;
  for (const Finding& finding : findings) {
    has_component |= finding.candidate->is_complete && !finding.path.empty();
  }
  file << (has_component ? "components:\n" : "components: {}\n");
  if (!has_component && !findings.empty()) {
    file << "# When one of these is complete, write `components:` without the {}.\n";
  }
  for (const Finding& finding : findings) write_section(file, finding, options);
  if (findings.empty()) {
    file << "# Nothing was found. A component is any server, such as:\n"
            "#\n"
            "# components:\n"
            "#   model:\n"
            "#     cmd: [my-model-server, --port, \"${PORT}\"]\n"
            "#     ready: {http: /health}       # ready when this answers 200\n"
            "#     keywords: [ask, explain]     # commands with these words need it\n";
  }
  return std::move(file).str();
}

}  // namespace hearth
