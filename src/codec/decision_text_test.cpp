#include "codec/decision_text.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace hearth {
namespace {

std::string name(ComponentId id) { return id.value == 1 ? "ocr" : id.value == 2 ? "asr" : ""; }

Decision decision(DecisionKind kind, Reason reason) {
  Decision made;
  made.kind = kind;
  made.reason = reason;
  made.component = ComponentId{1};
  made.other = ComponentId{2};
  made.has_component = true;
  made.has_other = true;
  made.bytes = 300_MiB;
  made.other_bytes = 8_GiB;
  made.figure = 2;
  made.other_figure = 1;
  return made;
}

TEST(DecisionText, IsOneLineThatNamesTheComponentForEveryKindAndReason) {
  for (unsigned kind = 0; kind < limit_of(DecisionKind{}); ++kind) {
    for (unsigned reason = 0; reason < limit_of(Reason{}); ++reason) {
      const Decision made = decision(static_cast<DecisionKind>(kind), static_cast<Reason>(reason));
      const std::string text = to_text(made, name);
      EXPECT_NE(text.find("ocr"), std::string::npos) << text;
      EXPECT_EQ(text.find('\n'), std::string::npos) << text;
      EXPECT_EQ(text.find("unknown"), std::string::npos) << text;
    }
  }
}

TEST(DecisionText, TellsEveryReasonOfALoadApart) {
  std::set<std::string> texts;
  for (unsigned reason = 0; reason < limit_of(Reason{}); ++reason) {
    texts.insert(to_text(decision(DecisionKind::load_started, static_cast<Reason>(reason)), name));
  }
  EXPECT_EQ(texts.size(), limit_of(Reason{}));
}

TEST(DecisionText, NamesTheRivalAndTheFigures) {
  const std::string text = to_text(decision(DecisionKind::unload_started, Reason::memory), name);
  EXPECT_EQ(
      text,
      "ocr: unload started, frees 300MiB, unused for 2s, asr takes 8GiB: asr needs its memory");
  EXPECT_EQ(to_text(decision(DecisionKind::waiting, Reason::conflict), name),
            "ocr: waits because it conflicts with asr, which is resident");
  Decision done = decision(DecisionKind::load_done, Reason::demand);
  done.figure = 1234.5;
  EXPECT_EQ(to_text(done, name), "ocr: ready after 1.23s, holds 300MiB, 8GiB had been reserved");
}

TEST(DecisionText, AnUnloadForTheMachineSaysWhatIsShort) {
  Decision unload = decision(DecisionKind::unload_started, Reason::pressure);
  unload.has_other = false;
  EXPECT_EQ(
      to_text(unload, name),
      "ocr: unload started, frees 300MiB of 8GiB that are short, unused for 2s: the machine is "
      "short of memory");
}

TEST(DecisionText, SurvivesFiguresThatMakeNoSense) {
  for (const double figure : {std::numeric_limits<double>::quiet_NaN(),
                              std::numeric_limits<double>::infinity(), -1e300, 1e300}) {
    for (unsigned kind = 0; kind < limit_of(DecisionKind{}); ++kind) {
      Decision made = decision(static_cast<DecisionKind>(kind), Reason::none);
      made.figure = figure;
      made.other_figure = figure;
      EXPECT_NE(to_text(made, name), "");
    }
  }
}

TEST(DecisionText, AComponentWithoutANameIsANumber) {
  Decision made = decision(DecisionKind::pinned, Reason::none);
  made.component = ComponentId{40};
  EXPECT_EQ(to_text(made, name), "component 40: pinned");
}

action::Reply refusal(Errc code, Reason reason) {
  action::Reply reply;
  reply.code = code;
  reply.reason = reason;
  reply.component = ComponentId{1};
  reply.other = ComponentId{2};
  return reply;
}

TEST(RefusalText, IsOneLineWithAMendForEveryCodeAndReason) {
  for (int code = 0; code < errc_count; ++code) {
    for (unsigned reason = 0; reason < limit_of(Reason{}); ++reason) {
      const std::string text =
          refusal_text(refusal(static_cast<Errc>(code), static_cast<Reason>(reason)), name);
      EXPECT_NE(text.find("; "), std::string::npos) << text;
      EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    }
  }
}

TEST(RefusalText, NamesTheComponentUnlessTheRequestAsAWholeIsRefused) {
  for (unsigned raw = 0; raw < limit_of(Reason{}); ++raw) {
    const auto reason = static_cast<Reason>(raw);
    const bool is_general = reason == Reason::unknown_lease || reason == Reason::unknown_command ||
                            reason == Reason::queue_full || reason == Reason::shutting_down;
    const std::string text = refusal_text(refusal(Errc::conflict, reason), name);
    EXPECT_EQ(text.find("ocr") != std::string::npos, !is_general) << text;
  }
}

TEST(RefusalText, SaysWhoStandsInTheWay) {
  EXPECT_EQ(refusal_text(refusal(Errc::conflict, Reason::conflict), name),
            "ocr: it conflicts with asr, which is in use; release the lease or the pin on asr, or "
            "wait");
  EXPECT_EQ(refusal_text(refusal(Errc::conflict, Reason::leased), name),
            "ocr: asr, which needs it, is leased; release the lease or wait until it ends");
}

TEST(DecisionText, AFigureThatIsAGuessIsCalledOne) {
  const auto unmeasured = [](ComponentId id) { return id == ComponentId{1}; };
  EXPECT_EQ(to_text(decision(DecisionKind::waiting, Reason::memory), name, unmeasured),
            "ocr: waits for memory: it takes 300MiB, 8GiB is free; its memory was never measured, "
            "so 300MiB is reserved: declare `memory`, or lower `loading.unknown_memory`");
  for (const Reason reason : {Reason::memory, Reason::too_large}) {
    const Decision refused = decision(DecisionKind::refused, reason);
    EXPECT_NE(to_text(refused, name, unmeasured).find("never measured"), std::string::npos);
    EXPECT_EQ(to_text(refused, name).find("never measured"), std::string::npos);
  }
  EXPECT_NE(to_text(decision(DecisionKind::load_started, Reason::demand), name, unmeasured)
                .find("reserved (never measured): "),
            std::string::npos);
  EXPECT_EQ(to_text(decision(DecisionKind::waiting, Reason::conflict), name, unmeasured)
                .find("never measured"),
            std::string::npos);
}

TEST(RefusalText, AFigureThatIsAGuessIsCalledOne) {
  EXPECT_EQ(refusal_text(refusal(Errc::over_budget, Reason::memory), name, 1_GiB),
            "ocr: not enough of the budget is free for it; its memory was never measured, so 1GiB "
            "is reserved: declare `memory`, or lower `loading.unknown_memory`");
  EXPECT_EQ(refusal_text(refusal(Errc::conflict, Reason::leased), name, 1_GiB).find("measured"),
            std::string::npos);
}

TEST(RefusalText, SpeaksOfNoFieldThatTheCommandLineDoesNotHave) {
  EXPECT_EQ(
      refusal_text(refusal(Errc::timed_out, Reason::timed_out), name),
      "ocr: it was not ready in time; the load goes on: ask again, or with a longer time-out");
}

TEST(RefusalText, IsEmptyForAGrantedRequest) {
  action::Reply reply = refusal(Errc::failed, Reason::none);
  reply.is_granted = true;
  EXPECT_EQ(refusal_text(reply, name), "");
}

}  // namespace
}  // namespace hearth
