#include "runtime/chronicle.h"

#include <span>
#include <utility>

#include "base/archive.h"
#include "base/limits.h"
#include "intent/text.h"

namespace hearth {
namespace {

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return result + "\"";
}

std::string_view history_kind(DecisionKind kind) {
  switch (kind) {
    case DecisionKind::load_done:
      return "load";
    case DecisionKind::unload_done:
      return "unload";
    case DecisionKind::exited:
      return "exit";
    case DecisionKind::pressure_changed:
      return "pressure";
    case DecisionKind::hibernate_done:
      return "hibernate";
    case DecisionKind::resume_done:
      return "resume";
    case DecisionKind::power_changed:
    case DecisionKind::hibernate_started:
    case DecisionKind::hibernate_refused:
    case DecisionKind::resume_started:
    case DecisionKind::resume_failed:
    case DecisionKind::load_started:
    case DecisionKind::load_failed:
    case DecisionKind::load_cancelled:
    case DecisionKind::unload_started:
    case DecisionKind::waiting:
    case DecisionKind::refused:
    case DecisionKind::granted:
    case DecisionKind::lease_ended:
    case DecisionKind::nothing_evictable:
    case DecisionKind::over_budget:
    case DecisionKind::estimate_off:
    case DecisionKind::pinned:
    case DecisionKind::unpinned:
    case DecisionKind::configured:
    case DecisionKind::shutdown:
      return "decision";
  }
  return "decision";
}

double history_figure(const Decision& decision) {
  const bool is_timed =
      decision.kind == DecisionKind::load_done || decision.kind == DecisionKind::resume_done;
  if (is_timed) return decision.figure * 1e-6;  // ms
  if (decision.kind == DecisionKind::pressure_changed) return decision.figure;
  return static_cast<double>(decision.bytes.count);
}

}  // namespace

CommandNote make_note(std::string_view text, std::string session, Config::HistoryText kept) {
  CommandNote note{.session = std::move(session)};
  switch (kept) {
    case Config::HistoryText::keep:
      note.text = text;
      break;
    case Config::HistoryText::features:
      note.features = hashed_words(text);
      break;
    case Config::HistoryText::none:
      break;
  }
  return note;
}

std::string encode_note(const CommandNote& note) {
  Writer writer;
  writer(note.session, note.text, note.features);
  return {reinterpret_cast<const char*>(writer.bytes().data()), writer.bytes().size()};
}

CommandNote decode_note(std::string_view text) {
  Reader reader{std::as_bytes(std::span{text})};
  CommandNote note;
  reader(note.session, note.text, note.features);
  return reader.ok() && reader.at_end() ? note : CommandNote{};
}

void Chronicle::note(CommandId command, CommandNote note) {
  notes_.emplace(command, std::move(note));
  while (notes_.size() > commands_kept_max) notes_.erase(notes_.begin());
}

CommandNote Chronicle::noted(CommandId command) const {
  const auto found = notes_.find(command);
  return found == notes_.end() ? CommandNote{} : found->second;
}

void Chronicle::subscribe(std::uint64_t after, Subscriber subscriber) {
  bool is_lost = after < lost_until_;
  for (const StreamItem& item : kept_) {
    if (item.sequence <= after) continue;
    if (!subscriber(item, is_lost)) return;
    is_lost = false;
  }
  subscribers_.push_back(std::move(subscriber));
}

void Chronicle::decided(const StreamItem& item, const NameOf& name_of) {
  kept_.push_back(item);
  if (kept_.size() > decisions_kept_max) {
    lost_until_ = kept_.front().sequence;
    kept_.pop_front();
  }
  std::erase_if(subscribers_, [&](Subscriber& subscriber) { return !subscriber(item, false); });
  const Decision& decision = item.decision;
  HistoryEntry row{.sequence = item.sequence, .unix_ms = item.unix_ms};
  row.kind = history_kind(decision.kind);
  if (decision.has_component) row.component = name_of(decision.component);
  if (decision.command) row.session = noted(decision.command).session;
  row.detail = "{\"decision\":" + quoted(hearth::name_of(decision.kind)) +
               ",\"reason\":" + quoted(hearth::name_of(decision.reason)) +
               ",\"text\":" + quoted(to_text(decision, name_of)) + "}";
  row.figure = history_figure(decision);
  rows_.push_back(std::move(row));
}

void Chronicle::commanded(std::uint64_t sequence, std::int64_t unix_ms, CommandId command) {
  const CommandNote note = noted(command);
  HistoryEntry row{.sequence = sequence, .unix_ms = unix_ms, .kind = "command"};
  row.session = note.session;
  row.text = note.text;
  row.features = note.features;
  row.detail = "{\"command\":" + std::to_string(command.value) + "}";
  rows_.push_back(std::move(row));
}

void Chronicle::learnt(std::uint64_t sequence, std::int64_t unix_ms, const action::Learn& learn,
                       const NameOf& name_of) {
  const CommandNote note = noted(learn.command);
  std::string used;
  for (const ComponentId id : learn.used) {
    used += (used.empty() ? "" : ",") + quoted(name_of(id));
  }
  HistoryEntry row{.sequence = sequence, .unix_ms = unix_ms, .kind = "use"};
  if (learn.used.size() == 1) row.component = name_of(learn.used.front());
  row.session = note.session;
  row.text = note.text;
  row.features = note.features;
  row.detail = "{\"command\":" + std::to_string(learn.command.value) + ",\"used\":[" + used + "]}";
  row.figure = static_cast<double>(learn.used.size());
  rows_.push_back(std::move(row));
}

std::vector<HistoryEntry> Chronicle::take_rows() { return std::exchange(rows_, {}); }

}  // namespace hearth
