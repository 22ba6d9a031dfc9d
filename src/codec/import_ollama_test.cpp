#include <gtest/gtest.h>

#include "codec/import.h"

namespace hearth {
namespace {

constexpr std::string_view tags = R"({"models": [
  {"name": "llama3.2:3b", "model": "llama3.2:3b", "size": 2019393189, "details": {"family": "x"}},
  {"name": "nomic-embed-text:latest", "model": "nomic-embed-text:latest", "size": 274302450},
  {"name": "gpt-oss:120b-cloud", "size": 384, "remote_host": "https://ollama.com:443"}]})";

Imported imported_from(std::string_view of_tags, std::string_view running) {
  return import_ollama({.url = "http://127.0.0.1:11434",
                        .tags = std::string{of_tags},
                        .running = std::string{running},
                        .version = R"({"version": "0.12.3"})"});
}

std::string notes_of(const Imported& imported) {
  std::string all;
  for (const ConfigProblem& note : imported.notes) all += to_text(note, "f") + "\n";
  return all;
}

// Without the comments at its head.
std::string components_of(const Imported& imported) {
  if (!imported.yaml) return notes_of(imported);
  return imported.yaml->substr(imported.yaml->find("components:"));
}

TEST(OllamaImport, AModelBecomesAComponentOfItsServer) {
  const Imported imported =
      imported_from(tags, R"({"models": [{"model": "llama3.2:3b", "size": 3500000001}]})");
  EXPECT_EQ(components_of(imported), R"(components:
  llama3.2-3b:
    kind: http
    preset: ollama
    url: "http://127.0.0.1:11434"
    model: "llama3.2:3b"
    memory: 3.51GB
    aliases: ["llama3.2:3b"]
  nomic-embed-text:
    kind: http
    preset: ollama
    url: "http://127.0.0.1:11434"
    model: "nomic-embed-text:latest"
    memory: 275MB
    aliases: ["nomic-embed-text:latest"]
)");
  EXPECT_NE(imported.yaml->find("# Ollama 0.12.3 at http://127.0.0.1:11434\n"), std::string::npos);
}

TEST(OllamaImport, WhatIsNotLoadedHereOrNotMeasuredIsTold) {
  const std::string notes = notes_of(imported_from(tags, ""));
  EXPECT_NE(notes.find("`gpt-oss:120b-cloud` is left out"), std::string::npos) << notes;
  EXPECT_NE(notes.find("`memory` of 2 models"), std::string::npos) << notes;
  EXPECT_NE(notes.find("OLLAMA_KEEP_ALIVE"), std::string::npos) << notes;
}

TEST(OllamaImport, ModelsWhoseNamesMeetGetNamesOfTheirOwn) {
  const Imported imported = imported_from(R"({"models": [{"name": "a"}, {"name": "a:latest"},
                                       {"name": "b:1"}, {"name": "b/1"}]})",
                                          "");
  EXPECT_EQ(imported.components, (std::vector<std::string>{"a", "a-2", "b-1", "b-1-2"}));
}

TEST(OllamaImport, AServerWithoutModelsGivesAnEmptyConfiguration) {
  EXPECT_EQ(components_of(imported_from(R"({"models": null})", "")), "components: {}\n");
  EXPECT_NE(notes_of(imported_from(R"({"models": []})", "")).find("it has no models"),
            std::string::npos);
}

TEST(OllamaImport, AnswersOfAnotherServerAreAnError) {
  EXPECT_NE(notes_of(imported_from("<html>", "")).find("is it Ollama?"), std::string::npos);
  EXPECT_NE(notes_of(imported_from("{}", "")).find("is it Ollama?"), std::string::npos);
  EXPECT_NE(notes_of(imported_from(tags, "[]")).find("GET /api/ps"), std::string::npos);
}

TEST(OllamaUrl, TakesTheFormsOfOllamaHost) {
  EXPECT_EQ(ollama_url(""), "http://127.0.0.1:11434");
  EXPECT_EQ(ollama_url("box"), "http://box:11434");
  EXPECT_EQ(ollama_url(" box:80 "), "http://box:80");
  EXPECT_EQ(ollama_url(":5000"), "http://127.0.0.1:5000");
  EXPECT_EQ(ollama_url("0.0.0.0"), "http://127.0.0.1:11434");
  EXPECT_EQ(ollama_url("http://box"), "http://box:80");
  EXPECT_EQ(ollama_url("https://box/"), "https://box:443");
  EXPECT_EQ(ollama_url("http://box:1/path/"), "http://box:1/path");
  EXPECT_EQ(ollama_url("[::1]:7"), "http://[::1]:7");
  EXPECT_EQ(ollama_url("::1"), "http://[::1]:11434");
}

}  // namespace
}  // namespace hearth
