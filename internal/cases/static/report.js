// The pages of reports load this.
