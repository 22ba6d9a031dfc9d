#include "codec/json_tree.h"

#include <algorithm>
#include <iterator>
#include <unordered_set>

#include "codec/config_reader.h"
#include "codec/json.h"

namespace hearth {
namespace {

// Where the library's reader has come to. It takes the characters one by one, through copies of one
// iterator, and reads one character beyond a number.
class Follower {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Follower(const char* at, const char** reached) : at_(at), reached_(reached) {}
  const char& operator*() const { return *at_; }
  Follower& operator++() {
    ++at_;
    if (reached_ != nullptr) *reached_ = at_;
    return *this;
  }
  Follower operator++(int) {
    Follower before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Follower& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  const char** reached_;
};

class TreeBuilder : public nlohmann::json_sax<Json> {
 public:
  explicit TreeBuilder(std::string_view text) : text_(text), reached_(text.data()) {}

  YamlTree build() {
    if (const auto at = invalid_utf8_at(text_)) {
      move_to(*at);
      (void)refuse(place_, "not UTF-8: save the file as UTF-8");
      return std::move(tree_);
    }
    const Follower begin{text_.data(), &reached_};
    const Follower end{text_.data() + text_.size(), nullptr};
    const bool is_read = Json::sax_parse(begin, end, this);
    if (is_read) tree_.root = std::move(root_);
    return std::move(tree_);
  }

  bool null() override { return add(YamlNode::Kind::null, ""); }
  bool boolean(bool value) override {
    return add(YamlNode::Kind::scalar, value ? "true" : "false");
  }
  bool number_integer(number_integer_t value) override {
    return add(YamlNode::Kind::scalar, std::to_string(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return add(YamlNode::Kind::scalar, std::to_string(value));
  }
  bool number_float(number_float_t, const string_t& digits) override {
    return add(YamlNode::Kind::scalar, digits);
  }
  bool string(string_t& value) override { return add(YamlNode::Kind::scalar, std::move(value)); }
  bool binary(binary_t&) override { return refuse(place_, "binary values are not JSON"); }
  bool start_object(std::size_t) override { return open(YamlNode::Kind::map); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(YamlNode::Kind::list); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    const ConfigPlace place = next_place();
    if (!open_.back().seen.insert(name).second) {
      return refuse(place, "the key " + hearth::quoted(name) + " is there twice");
    }
    open_.back().node.keys.push_back({std::move(name), place});
    return true;
  }
  bool parse_error(std::size_t position, const std::string& token,
                   const Json::exception&) override {
    move_to(std::min(position > 0 ? position - 1 : 0, text_.size()));
    const bool is_end =
        text_.substr(offset_).find_first_not_of(" \t\r\n") == std::string_view::npos;
    return refuse(place_, is_end ? "not JSON: it ends too early"
                                 : "not JSON: not understood at " + hearth::quoted(token));
  }

 private:
  struct Frame {
    YamlNode node;
    std::unordered_set<std::string> seen;
  };

  bool refuse(ConfigPlace place, std::string message) {
    tree_.problems.push_back({true, place.line, place.column, std::move(message)});
    return false;
  }
  void move_to(std::size_t offset) {
    for (; offset_ < offset; ++offset_) {
      ++place_.column;
      if (text_[offset_] == '\n') place_ = {place_.line + 1, 1};
    }
  }
  // Of the token just read: it begins behind the one before and what stands between the two.
  ConfigPlace next_place() {
    const std::size_t begin = text_.find_first_not_of(" \t\r\n,:", offset_);
    move_to(std::min(begin, text_.size()));
    const ConfigPlace place = place_;
    move_to(static_cast<std::size_t>(reached_ - text_.data()));
    return place;
  }
  bool add(YamlNode::Kind kind, std::string text) {
    YamlNode node;
    node.kind = kind;
    node.place = next_place();
    node.text = std::move(text);
    return attach(std::move(node));
  }
  bool open(YamlNode::Kind kind) {
    YamlNode node;
    node.kind = kind;
    node.place = next_place();
    if (open_.size() >= yaml_depth_max) {
      return refuse(node.place, "nested deeper than " + std::to_string(yaml_depth_max));
    }
    open_.push_back({std::move(node), {}});
    return true;
  }
  bool close() {
    (void)next_place();
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    return attach(std::move(node));
  }
  bool attach(YamlNode node) {
    if (++nodes_ > yaml_nodes_max) return refuse(node.place, "too many values in one file");
    if (open_.empty()) {
      root_ = std::move(node);
    } else {
      open_.back().node.items.push_back(std::move(node));
    }
    return true;
  }

  std::string_view text_;
  const char* reached_;
  std::size_t offset_ = 0;  // behind the last token
  ConfigPlace place_{1, 1};
  std::vector<Frame> open_;
  YamlNode root_;
  std::size_t nodes_ = 0;
  YamlTree tree_;
};

}  // namespace

YamlTree read_json_tree(std::string_view text) {
  if (text.size() > yaml_bytes_max) {
    YamlTree tree;
    tree.problems.push_back({true, 0, 0, "larger than " + format_bytes(Bytes{yaml_bytes_max})});
    return tree;
  }
  return TreeBuilder{text}.build();
}

}  // namespace hearth
