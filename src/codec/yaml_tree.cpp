#include "codec/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <sstream>
#include <unordered_set>

namespace hearth {
namespace {

ConfigProblem problem_at(ConfigPlace place, std::string message) {
  return {.is_error = true, .line = place.line, .column = place.column, .message = message};
}

// Thrown through yaml-cpp to stop it; caught in read_yaml.
struct Stopped {
  ConfigPlace place;
  std::string message;
};

std::size_t nodes_of(const YamlNode& node) {
  std::size_t count = 1;
  for (const YamlNode& item : node.items) count += nodes_of(item);
  return count;
}

std::size_t depth_of(const YamlNode& node) {
  std::size_t deepest = 0;
  for (const YamlNode& item : node.items) deepest = std::max(deepest, depth_of(item));
  return deepest + (node.is_list() || node.is_map() ? 1 : 0);
}

class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::vector<ConfigProblem>& problems) : problems_(problems) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(node_of(mark, YamlNode::Kind::null), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) stop(place_of(mark), "an alias stands inside of what it names");
    if (depth_of(found->second) + frames_.size() > yaml_depth_max) {
      stop(place_of(mark), "nested deeper than " + std::to_string(yaml_depth_max));
    }
    count_copies(found->second, place_of(mark));
    YamlNode copy = found->second;
    copy.place = place_of(mark);
    add(std::move(copy), 0);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = node_of(mark, YamlNode::Kind::scalar);
    is_quoted_ = tag == "!";
    node.text = value;
    add(std::move(node), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(node_of(mark, YamlNode::Kind::list), anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(node_of(mark, YamlNode::Kind::map), anchor);
  }
  void OnMapEnd() override { close(); }

  YamlNode take() { return std::move(root_); }

 private:
  struct Frame {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    std::optional<YamlKey> key;  // read, and its value is still to come
    bool is_merge = false;       // and it is <<, not in quotes
    std::vector<YamlNode> merged;
    std::unordered_set<std::string> seen;
  };

  static ConfigPlace place_of(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }
  [[noreturn]] static void stop(ConfigPlace place, std::string message) {
    throw Stopped{place, std::move(message)};
  }
  static YamlNode node_of(const YAML::Mark& mark, YamlNode::Kind kind) {
    YamlNode node;
    node.kind = kind;
    node.place = place_of(mark);
    return node;
  }
  void count_copies(const YamlNode& node, ConfigPlace place) {
    copies_ += nodes_of(node);
    if (copies_ > yaml_copies_max) stop(place, "its aliases make it too large");
  }

  void open(YamlNode node, YAML::anchor_t anchor) {
    if (frames_.size() >= yaml_depth_max) {
      stop(node.place, "nested deeper than " + std::to_string(yaml_depth_max));
    }
    count_node(node.place);
    Frame& frame = frames_.emplace_back();
    frame.node = std::move(node);
    frame.anchor = anchor;
  }
  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    for (YamlNode& merged : frame.merged) merge(frame, merged);
    attach(std::move(frame.node), frame.anchor);
  }
  void add(YamlNode node, YAML::anchor_t anchor) {
    count_node(node.place);
    attach(std::move(node), anchor);
  }
  void count_node(ConfigPlace place) {
    if (++nodes_ > yaml_nodes_max) stop(place, "too many values in one file");
  }

  void attach(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != 0) {
      count_copies(node, node.place);
      anchors_[anchor] = node;
    }
    if (frames_.empty()) {
      root_ = std::move(node);
    } else if (frames_.back().node.is_list()) {
      frames_.back().node.items.push_back(std::move(node));
    } else if (frames_.back().key) {
      attach_value(frames_.back(), std::move(node));
    } else {
      attach_key(frames_.back(), std::move(node));
    }
  }
  void attach_key(Frame& frame, YamlNode node) {
    if (!node.is_scalar()) {
      problems_.push_back(problem_at(node.place, "a key must be a text"));
      node.text.clear();
    }
    frame.key = YamlKey{std::move(node.text), node.place};
    frame.is_merge = !is_quoted_ && frame.key->text == "<<";
  }
  void attach_value(Frame& frame, YamlNode node) {
    YamlKey key = std::move(*frame.key);
    frame.key.reset();
    if (frame.is_merge) {
      if (node.is_map()) {
        frame.merged.push_back(std::move(node));
      } else if (node.is_list()) {
        for (YamlNode& item : node.items) frame.merged.push_back(std::move(item));
      } else {
        problems_.push_back(problem_at(node.place, "`<<` must name a map"));
      }
    } else if (!frame.seen.insert(key.text).second) {
      problems_.push_back(problem_at(key.place, "the key `" + key.text + "` is there twice"));
    } else {
      frame.node.keys.push_back(std::move(key));
      frame.node.items.push_back(std::move(node));
    }
  }
  static void merge(Frame& frame, YamlNode& from) {
    for (std::size_t i = 0; i < from.keys.size(); ++i) {
      if (!frame.seen.insert(from.keys[i].text).second) continue;
      frame.node.keys.push_back(std::move(from.keys[i]));
      frame.node.items.push_back(std::move(from.items[i]));
    }
  }

  std::vector<ConfigProblem>& problems_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  YamlNode root_;
  std::size_t nodes_ = 0;
  std::size_t copies_ = 0;
  bool is_quoted_ = false;  // the last scalar
};

ConfigPlace place_at(std::string_view text, std::size_t offset) {
  ConfigPlace place{1, 1};
  for (const char c : text.substr(0, offset)) {
    ++place.column;
    if (c == '\n') place = {place.line + 1, 1};
  }
  return place;
}

// yaml-cpp ends a text at the byte 4 and has its own views of other control characters.
std::optional<ConfigProblem> unreadable(std::string_view text) {
  if (text.size() > yaml_bytes_max) {
    return problem_at({}, "larger than " + format_bytes(Bytes{yaml_bytes_max}));
  }
  if (const auto at = invalid_utf8_at(text)) {
    return problem_at(place_at(text, *at), "not UTF-8: save the file as UTF-8");
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
      return problem_at(place_at(text, i), "a control character: write it as \"\\x..\"");
    }
  }
  return std::nullopt;
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].text == key) return &items[i];
  }
  return nullptr;
}

std::optional<std::size_t> invalid_utf8_at(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t length = first < 0x80                    ? 1
                               : first >= 0xc2 && first < 0xe0 ? 2
                               : (first & 0xf0) == 0xe0        ? 3
                               : first >= 0xf0 && first < 0xf5 ? 4
                                                               : 0;
    if (length == 0 || length > text.size() - i) return i;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return i;
    }
    const auto second = static_cast<unsigned char>(length > 1 ? text[i + 1] : '\0');
    const bool is_overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
    const bool is_outside = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
    if (is_overlong || is_outside) return i;
    i += length;
  }
  return std::nullopt;
}

YamlTree read_yaml(std::string_view text) {
  YamlTree tree;
  if (auto problem = unreadable(text)) {
    tree.problems.push_back(std::move(*problem));
    return tree;
  }
  TreeBuilder builder{tree.problems};
  try {
    std::istringstream stream{std::string{text}};
    YAML::Parser parser{stream};
    (void)parser.HandleNextDocument(builder);
    tree.root = builder.take();
    std::vector<ConfigProblem> ignored;
    TreeBuilder second{ignored};
    if (parser.HandleNextDocument(second)) {
      tree.problems.push_back(problem_at({}, "more than one document: keep the first, drop `---`"));
    }
  } catch (const Stopped& stopped) {
    tree.root.reset();
    tree.problems.push_back(problem_at(stopped.place, stopped.message));
  } catch (const YAML::Exception& error) {
    tree.root.reset();
    const bool has_place = !error.mark.is_null();
    const ConfigPlace place =
        has_place ? ConfigPlace{error.mark.line + 1, error.mark.column + 1} : ConfigPlace{};
    tree.problems.push_back(problem_at(place, "not YAML: " + error.msg));
  }
  return tree;
}

}  // namespace hearth
