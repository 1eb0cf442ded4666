#ifndef CARAMEL_TESTS_REPORT_WELL_FORMED_HPP
#define CARAMEL_TESTS_REPORT_WELL_FORMED_HPP

// A small strict reader of markup: every tag is closed by its own kind or closes itself, attributes are quoted, nothing is
// left unescaped. Pages are written so (as XML would ask for), which is more than HTML demands.

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

class markup_reader {
   public:
    /// What is wrong, with the byte; empty if nothing is.
    static std::string fault_of(std::string_view text) {
        markup_reader reader(text);
        reader.run();
        return reader.fault_;
    }

   private:
    explicit markup_reader(std::string_view text) : text_(text) {}

    void run() {
        if (text_.starts_with("<!DOCTYPE html>")) at_ = 15;
        while (at_ < text_.size() && fault_.empty()) {
            if (text_[at_] == '<') tag();
            else if (text_[at_] == '&') entity();
            else if (text_[at_] == '>') fail("a lone >");
            else ++at_;
        }
        if (fault_.empty() && !open_.empty()) fail("never closed: " + open_.back());
    }
    void fail(const std::string& what) { fault_ = what + " at byte " + std::to_string(at_); }
    bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }

    std::string name() {
        const std::size_t begin = at_;
        while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '-')) ++at_;
        if (at_ == begin) fail("no name");
        return std::string(text_.substr(begin, at_ - begin));
    }
    void entity() {
        for (const std::string_view known : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"})
            if (text_.substr(at_).starts_with(known)) {
                at_ += known.size();
                return;
            }
        fail("a lone &");
    }
    void attribute() {
        const std::string key = name();
        if (!seen_.insert(key).second) fail("attribute twice: " + key);
        if (!next_is('=')) return fail("attribute without a value: " + key);
        ++at_;
        if (!next_is('"')) return fail("value without quotes");
        const std::size_t end = text_.find('"', ++at_);
        if (end == std::string_view::npos) return fail("value without an end");
        const std::string value(text_.substr(at_, end - at_));
        if (key == "id" && !ids_.insert(value).second) fail("id twice: " + value);
        while (at_ < end && fault_.empty()) {
            if (text_[at_] == '<' || text_[at_] == '>') fail("a lone < or > in a value");
            else if (text_[at_] == '&') entity();
            else ++at_;
        }
        at_ = end + 1;
    }
    void tag() {
        ++at_;
        if (next_is('/')) {
            ++at_;
            const std::string kind = name();
            if (open_.empty() || open_.back() != kind) return fail("closes " + kind + ", open is " + (open_.empty() ? "nothing" : open_.back()));
            if (!next_is('>')) return fail("closing tag without an end");
            ++at_;
            open_.pop_back();
            return;
        }
        const std::string kind = name();
        seen_.clear();
        while (fault_.empty() && next_is(' ')) {
            ++at_;
            attribute();
        }
        if (next_is('/')) {
            ++at_;
        } else {
            open_.push_back(kind);
        }
        if (!fault_.empty()) return;
        if (!next_is('>')) return fail("tag without an end: " + kind);
        ++at_;
        if (kind == "style") at_ = std::min(text_.find("</style>", at_), text_.size());
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<std::string> open_;
    std::set<std::string> ids_, seen_;
    std::string fault_;
};

#endif
